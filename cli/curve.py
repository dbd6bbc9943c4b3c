"""`python -m onrecord.cli.curve OUT [FILE…]`: the learning curve of the bundled corpus, for a model's folder.

Half an hour or more; each FILE of labelled data is measured on, beside the corpus's own test articles.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer

from ..data.corpus import bundled_corpus
from ..data.splits import split_articles
from ..train.curve import draw_curve
from .inputs import data_hashes, read_labelled


def main(out: Path, files: Sequence[Path]) -> None:
    """Read the data and draw the curve into `out`."""
    parts = split_articles(read_labelled([]))
    held_out = {"corpus test split": parts["test"], **{file.name: read_labelled([file]) for file in files}}
    draw_curve(
        out,
        parts["train"],
        parts["validation"],
        held_out,
        data=data_hashes([bundled_corpus(), *files]),
        tell=partial(typer.echo, err=True),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])

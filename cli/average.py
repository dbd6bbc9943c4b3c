"""`python -m onrecord.cli.average OUT RUN RUN…`: the mean of runs on the bundled corpus, as one model folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ..data.records import OnrecordError
from ..data.splits import split_articles
from ..train.average import average
from .inputs import read_labelled


def main(out: Path, runs: Sequence[Path]) -> None:
    """Average the runs into `out`; its temperature is fitted on the corpus's validation articles."""
    average(runs, split_articles(read_labelled([]))["validation"], out)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
    except OnrecordError as error:
        typer.echo(f"onrecord: {error}", err=True)
        raise SystemExit(1) from error

"""`python -m onrecord.cli.average OUT RUN RUN…`: the mean of runs on the bundled corpus, as one model folder."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from ..data.records import OnrecordError
from ..data.splits import split_articles
from ..train.average import average
from .inputs import read_labelled

if __name__ == "__main__":
    try:
        average(
            [Path(name) for name in sys.argv[2:]], split_articles(read_labelled([]))["validation"], Path(sys.argv[1])
        )
    except (OnrecordError, IndexError) as error:
        typer.echo(
            f"onrecord: {error if isinstance(error, OnrecordError) else 'give OUT and two runs or more'}", err=True
        )
        raise SystemExit(1) from error

"""`onrecord compare`: whether one model may take another's place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from .eval import evaluate_model


def compare_cli(
    a: Annotated[
        Path,
        typer.Argument(help="Report folder or predictions file of the model that is; a model folder with --data."),
    ],
    b: Annotated[Path, typer.Argument(help="The same, on the same rows, of the model that may take its place.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled data to evaluate two model folders on first."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the comparison.")] = Path("comparison"),
    development: Annotated[
        bool, typer.Option(help="With --data: mark every figure as a development set's: optimistic.")
    ] = False,
    max_drop: Annotated[
        float, typer.Option(min=0, max=1, help="Exit 4 if B's macro F1 is lower by more than this; 0.01 is a point.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Compare two models on the same rows: compare.html, compare.md, compare.json, flips.jsonl.

    Examples:
        onrecord compare report-old report-new --max-drop 0.005

        onrecord compare old/predictions.jsonl new/predictions.jsonl -o old-new

        onrecord compare runs/old runs/new --data rows.jsonl
    """
    from ..eval.compare import compare_files

    if data:
        for model, report in ((a, out / "a"), (b, out / "b")):
            evaluate_model(data, model=model, out=report, development=development, seed=seed)
        a, b = out / "a", out / "b"
    result = compare_files(a, b, out=out, max_drop=max_drop, seed=seed)
    if sys.stdout.isatty():
        typer.echo((out / "compare.md").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(json.dumps(result, ensure_ascii=False))
    typer.echo(f"written to {out}", err=True)
    if result["worse"]:
        typer.echo(result["verdict"], err=True)
        raise typer.Exit(4)

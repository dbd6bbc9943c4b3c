"""`onrecord eval`: how good a model is on labelled data."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.records import Article, OnrecordError
from ..data.splits import split_articles, split_of
from .inputs import data_hash, label_table, read_labelled

if TYPE_CHECKING:
    from ..eval.predictions import Prediction
    from ..model.calibration import Calibration


class Part(StrEnum):
    """Which split of the data to evaluate on."""

    all = "all"
    train = "train"
    validation = "validation"
    test = "test"


class Fitted(StrEnum):
    """What is fitted on the data."""

    temperature = "temperature"
    priors = "priors"


def eval_cli(
    data: Annotated[
        list[Path] | None,
        typer.Argument(help="Marked files or folders, or rows (JSONL, CSV, Parquet); the bundled corpus if none."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; the bundled model if none.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report.")] = Path("report"),
    split: Annotated[
        Part | None,
        typer.Option(help="Which articles: 'test' for the bundled corpus, 'all' for other data, if not given."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="FIELD=VALUE", help="Only rows whose extra field has this value, such as sure=True."),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIRS=OURS", help="The rows' own name of a label; repeat for more."),
    ] = None,
    context: Annotated[
        int | None, typer.Option(min=0, help="Keep so many sentences before each judged one; all if none.")
    ] = None,
    development: Annotated[
        bool, typer.Option(help="Mark every figure as a development set's: optimistic, not redistributable.")
    ] = False,
    calibrate: Annotated[
        Fitted | None,
        typer.Option(
            help="Fit the temperature, or priors too, and the threshold on this data; writes calibration.json."
        ),
    ] = None,
    baselines: Annotated[
        bool, typer.Option(help="Add baselines trained on the bundled corpus (extra 'train'; a minute).")
    ] = False,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="Add predictions of the same rows as a baseline."),
    ] = None,
    fail_under: Annotated[float | None, typer.Option(min=0, max=1, help="Exit 4 if macro F1 is below this.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Evaluate a model on labelled data: report.html, report.md, report.json, predictions.jsonl, errors.jsonl.

    Examples:
        onrecord eval                                   # the bundled model on the corpus's own test articles

        onrecord eval my-rows.jsonl --model runs/mine -o runs/mine/report --fail-under 0.8
    """
    paths = data or []
    part = split or (Part.all if paths else Part.test)
    report = evaluate_model(
        paths,
        model=model,
        out=out,
        split=part,
        only=only,
        labels=label_table(rename or ()),
        context=context,
        development=development,
        calibrate=calibrate,
        baselines=baselines,
        others=baseline or [],
        seed=seed,
    )
    macro = report["macro_f1"]
    typer.echo((out / "report.md").read_text(encoding="utf-8"), nl=False)
    typer.echo(f"written to {out}", err=True)
    if fail_under is not None and macro["value"] < fail_under:
        typer.echo(f"macro F1 {macro['value']:.4f} is below --fail-under {fail_under}", err=True)
        raise typer.Exit(4)


def evaluate_model(
    data: Sequence[Path],
    *,
    model: Path | None,
    out: Path,
    split: str = "all",
    only: str | None = None,
    labels: Mapping[str, str] | None = None,
    context: int | None = None,
    development: bool = False,
    calibrate: str | None = None,
    baselines: bool = False,
    others: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Score labelled data with a model and write its report; return it."""
    from ..eval.predict import by_character, cross_fit, predict
    from ..eval.predictions import write_predictions
    from ..eval.report import evaluate
    from ..model.folder import write_json
    from ..model.scorer import load

    articles = [item for item in read_labelled(data, labels=labels) if split == "all" or split_of(item.doc) == split]
    articles = [shorten(item, context) for item in articles if context is not None] or articles
    if only is not None:
        field, equals, value = only.partition("=")
        if not equals:
            raise OnrecordError(f"--only is '{only}', expected FIELD=VALUE")
        articles = [item for item in articles if item.meta.get(field) == value]
    if not any(item.sentences[index].label for item in articles for index in item.judged):
        raise OnrecordError("nothing to evaluate: no labelled sentence is left in the data")
    written = out / "predictions.jsonl"
    if written.exists() and any(path.exists() and written.samefile(path) for path in data):
        raise OnrecordError(f"{written}: this is an input and would be overwritten; give another folder with --out")
    given = read_baselines(others)
    scorer = load(model)
    began = time.perf_counter()
    name = ", ".join(path.name for path in data) or f"bundled corpus, {split} split"
    name += f" ({only})" if only else ""
    notes = [] if data else corpus_notes(split)
    predictions: list[Prediction]
    fitted: Calibration | None = None
    if calibrate:
        record = f"{name}, SHA-256 {data_hash(data)}, onrecord eval --calibrate {calibrate}"
        predictions, fitted = cross_fit(scorer, articles, priors=calibrate == Fitted.priors, fitted_on=record)
        scorer.calibration = fitted  # what it says of text that we cut ourselves
        what = "Temperature and priors were" if calibrate == Fitted.priors else "The temperature was"
        notes.append(f"{what} fitted on this data, cross-fitted by article for these figures.")
    else:
        predictions = predict(scorer, articles)
    seconds = time.perf_counter() - began
    beside = given | (train_baselines(predictions) if baselines else {})
    report = evaluate(
        predictions,
        out=out,
        data_sha256=data_hash(data),
        data_name=name,
        notes=notes,
        model={"name": scorer.id.name, "sha256": scorer.id.sha256},
        development=development,
        baselines=beside,
        by_character=by_character(scorer, articles, predictions),
        speed={
            "sentences_per_second": round(len(predictions) / seconds, 1),
            "threads": scorer.threads,
            "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        },
        seed=seed,
    )
    write_predictions(written, predictions)
    if fitted is not None:
        suggested = report["abstention"]["suggested"]
        least = suggested["threshold"] if suggested else fitted.min_confidence
        write_json(out / "calibration.json", dataclasses.asdict(fitted) | {"min_confidence": round(least, 2)})
    return report


def corpus_notes(split: str) -> list[str]:
    """Return what a reader of figures on the bundled corpus must know first."""
    learned = "the bundled model learned from these very articles" if split != Part.test else "it never saw these"
    return [
        "The bundled corpus is fiction by one author, written to train on: a model that learned from it does better "
        f"here than on real news ({learned}). Try it on sentences of your own."
    ]


def read_baselines(others: Sequence[str]) -> dict[str, list[Prediction]]:
    """Read predictions files given as NAME=FILE."""
    from ..eval.predictions import read_predictions

    found = {}
    for item in others:
        name, equals, path = item.partition("=")
        if not equals:
            raise OnrecordError(f"--baseline is '{item}', expected NAME=FILE")
        found[name] = read_predictions(Path(path))
    return found


def train_baselines(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Train the quick baselines on the bundled corpus and predict the same rows."""
    try:
        from ..train.baselines import baselines
    except ImportError as error:
        raise OnrecordError(f"--baselines needs the extra 'train': pip install 'onrecord[train]' ({error})") from error
    return baselines(split_articles(read_labelled([]))["train"], predictions)


def shorten(article: Article, before: int | None) -> Article:
    """Leave a row only so many sentences before its judged one."""
    if before is None:
        return article
    if len(article.judged) != 1:
        raise OnrecordError(
            "--context shortens rows; marked articles are read whole ('onrecord data export' makes rows)"
        )
    target = article.judged[0]
    first = max(0, target - before)
    return Article(article.id, article.doc, article.sentences[first:], (target - first,), article.meta, article.weight)

"""Evaluate predictions: `report.json`, from which a page and a Markdown text are rendered, and `errors.jsonl`.

Nothing is computed after the dict, so that every number that a reader sees stands in the JSON. What cannot be computed
is null there, and `not_computed` says why. Scoring is no business of this module: it reads predictions.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ..data.records import OnrecordError
from . import figures, metrics
from .characters import LabelledSpan, character_figures
from .errors import confusions, error_record, errors_by_confidence, select_errors
from .evidence import evidence_figures
from .figures import Judged
from .intervals import N_RESAMPLES
from .predictions import Prediction, replacing
from .render import render
from .verdict import cautions, not_computed, to_mend, verdict

SCHEMA_VERSION = 1
STAMP = "development set: optimistic, not redistributable"

ByCharacter = Mapping[str, Mapping[str, tuple[Sequence[LabelledSpan], Sequence[LabelledSpan]]]]
"""Way of cutting sentences → article → gold and predicted sentences."""


def evaluate(
    predictions: Sequence[Prediction],
    *,
    out: Path,
    data_sha256: str,
    model: Mapping[str, Any],
    data_name: str | None = None,
    development: bool = False,
    seed: int = 0,
    notes: Sequence[str] = (),
    baselines: Mapping[str, Sequence[Prediction]] | None = None,
    by_character: ByCharacter | None = None,
    speed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write `report.json`, `report.md`, `report.html` and `errors.jsonl` into a folder, and return the report.

    Args:
        predictions: A file's rows with the model's verdicts.
        out: The folder; it is made.
        data_sha256: Of the file.
        model: `name` and `sha256`, and whatever else should be on record.
        data_name: What to call the file.
        development: Whether choices were made on this file; every rendering then says so.
        seed: Of the bootstrap.
        notes: Sentences for the reader.
        baselines: Other predictions of the same rows, by name.
        by_character: Sentences of whole articles, by the way of cutting them ("gold cuts", "own cuts").
        speed: Figures by name, with the hardware.

    Raises:
        OnrecordError: No rows, a model without name or hash, baselines of other rows, or the folder cannot be written.
    """
    if not predictions:
        raise OnrecordError("no predictions to evaluate: the file has no labelled rows")
    identity = named_model(model)
    judged = Judged.of(predictions, seed=seed)
    errors = errors_by_confidence(predictions)
    shown = select_errors(errors)
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "stamp": STAMP if development else None,
        "model": identity,
        "data": {"name": data_name, "sha256": data_sha256},
        "n_sentences": len(predictions),
        "n_docs": judged.bootstrap.n_docs,
        "n_rows_without_doc": sum(row.doc is None for row in predictions),
        "n_labels": figures.n_labels(judged.confusion),
        "accuracy": judged.confusion.figure(metrics.accuracy),
        "macro_f1": judged.confusion.figure(metrics.macro_f1),
        "mcc": judged.confusion.figure(metrics.mcc),
        "per_label": figures.per_label(judged.confusion),
        "confusion": figures.confusion_table(judged.confusion),
        "harmful": figures.harmful(judged.confusion),
        "argmax": figures.argmax(judged),
        "baselines": figures.baselines(judged, baselines or {}),
        "precision_recall": figures.precision_recall(judged),
        "calibration": figures.calibration(judged),
        "abstention": figures.abstention(judged),
        "evidence": evidence_figures(predictions, judged.bootstrap),
        "slices": figures.slices(judged),
        "by_character": [
            {"name": name, **character_figures(articles, seed=seed)}
            for name, articles in (by_character or {}).items()
            if articles
        ],
        "errors": {"n": len(errors), "n_shown": len(shown), "n_left_out": len(errors) - len(shown)},
        "speed": dict(speed) if speed else None,
        "notes": list(notes),
        "seed": seed,
        "n_resamples": N_RESAMPLES,
        "environment": environment(),
    }
    report["cautions"] = cautions(report)
    report["not_computed"] = not_computed(predictions, report)
    report["verdict"] = verdict(report)
    report["to_mend"] = to_mend(report)
    with replacing(out / "errors.jsonl") as file:
        for row in errors:
            record = error_record(row, model=identity, stamp=report["stamp"])
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    with replacing(out / "report.html") as file:
        file.write(render("report.html", report, errors=shown, kinds=confusions(shown)))
    with replacing(out / "report.md") as file:
        file.write(render("report.md", report))
    write_json(out / "report.json", report)
    return report


def named_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's record, which must say `name` and `sha256`."""
    for key in ("name", "sha256"):
        if not isinstance(model.get(key), str):
            raise OnrecordError(f"the model has no '{key}'; every output names the model and its hash")
    return dict(model)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as one JSON file."""
    with replacing(path) as file:
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def environment() -> dict[str, Any]:
    """Return the versions and the machine that made a report."""
    return {
        "onrecord": metadata.version("onrecord"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
    }

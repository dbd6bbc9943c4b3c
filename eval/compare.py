"""Compare two models on the same rows: a paired bootstrap over articles, and the sentences that flipped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..data.labels import LABELS, Label
from ..data.records import OnrecordError
from . import metrics
from .errors import MOST_CONFIDENT, n_fitting
from .figures import Judged, harmful_rate
from .intervals import N_RESAMPLES, Resampled, Statistic
from .predictions import Prediction, align, read_predictions, replacing
from .render import render
from .report import SCHEMA_VERSION, STAMP, environment, write_json
from .slices import TOO_FEW
from .verdict import FEW_DOCS

MAX_DROP = 0.01
"""Of macro F1: one point."""

Change = Literal["broken", "mended", "still wrong"]

_OVERALL: dict[str, Statistic] = {
    "macro_f1": metrics.macro_f1,
    "accuracy": metrics.accuracy,
    "mcc": metrics.mcc,
}
TITLES = {
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "mcc": "MCC",
    "harmful_rate": "anonymous called attributed",
}
_PER_LABEL: dict[str, Statistic] = {"f1": metrics.f1, "precision": metrics.precision, "recall": metrics.recall}


class Flip(NamedTuple):
    """A sentence that two models label differently."""

    a: Prediction
    b: Prediction

    @property
    def change(self) -> Change:
        """Return what became of it from A to B."""
        return (
            "broken"
            if self.a.predicted == self.a.label
            else "mended"
            if self.b.predicted == self.b.label
            else "still wrong"
        )

    @property
    def kind(self) -> str:
        """Return the change with both labels."""
        return f"{self.change}: {self.a.predicted} → {self.b.predicted}"

    def to_dict(self, models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return the JSON form, with the names and hashes of the models `a` and `b`."""
        sides = {
            name: {
                "model": {"name": models[name].get("name"), "sha256": models[name].get("sha256")},
                "predicted": row.predicted,
                "confidence": round(row.confidence, 6),
            }
            for name, row in (("a", self.a), ("b", self.b))
        }
        return {
            "id": self.a.id,
            "doc": self.a.doc,
            "text": self.a.text,
            "label": self.a.label,
            "change": self.change,
            **sides,
        }


def compare(
    a: Sequence[Prediction],
    b: Sequence[Prediction],
    *,
    out: Path,
    model_a: Mapping[str, Any],
    model_b: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    max_drop: float = MAX_DROP,
    development: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Write `compare.json`, `compare.md`, `compare.html` and `flips.jsonl` into a folder, and return the comparison.

    `worse` in it says whether B's macro F1 is lower than A's by more than `max_drop`, as measured.

    Args:
        a: Predictions of the model that is.
        b: Predictions for the same rows by the one that may take its place.
        out: The folder; it is made.
        model_a: `name`, and `sha256` where it is known.
        model_b: The same of the other.
        data: `name` and `sha256` of the file.
        max_drop: What B may lose, as a share: 0.01 is a point.
        development: Whether choices were made on this file; every rendering then says so.
        seed: Of the bootstrap.

    Raises:
        OnrecordError: The rows are not the same, or the folder cannot be written.
    """
    if not a:
        raise OnrecordError("no predictions to compare")
    judged = Judged.of(a, seed=seed)
    aligned = align(a, b, name=str(model_b.get("name", "B")))
    before, after = judged.confusion, judged.confusion_of([row.predicted for row in aligned])
    flips = [Flip(*pair) for pair in zip(a, aligned, strict=True) if pair[0].predicted != pair[1].predicted]
    flips.sort(key=lambda flip: -flip.b.confidence)
    n_shown = n_fitting([flip.b for flip in flips[: 2 * MOST_CONFIDENT]])
    changes = Counter(flip.change for flip in flips)
    result: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "stamp": STAMP if development else None,
        "a": dict(model_a),
        "b": dict(model_b),
        "data": dict(data) if data else None,
        "n_sentences": len(a),
        "n_docs": judged.bootstrap.n_docs,
        "n_rows_without_doc": sum(row.doc is None for row in a),
        "max_drop": max_drop,
        "worse": False,
        "verdict": "",
        "sentences": [],
        "overall": {name: _both(before, after, statistic) for name, statistic in _OVERALL.items()}
        | {"harmful_rate": _harmful(before, after)},
        "per_label": _per_label(before, after),
        "flips": {
            "n": len(flips),
            "n_mended": changes["mended"],
            "n_broken": changes["broken"],
            "n_still_wrong": changes["still wrong"],
            "n_shown": n_shown,
            "n_left_out": len(flips) - n_shown,
        },
        "seed": seed,
        "n_resamples": N_RESAMPLES,
        "environment": environment(),
    }
    difference = result["overall"]["macro_f1"]["difference"]
    # A drop of exactly what is allowed must pass: 0.80 - 0.79 is more than 0.01 in floats.
    result["worse"] = round(-difference["value"], 6) > max_drop
    result["verdict"] = _verdict(difference, worse=result["worse"], max_drop=max_drop)
    result["sentences"] = list(_sentences(result, before, after))
    with replacing(out / "flips.jsonl") as file:
        for flip in flips:
            record = flip.to_dict(result) | ({"stamp": STAMP} if development else {})
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    shown = flips[:n_shown]
    kinds = Counter(flip.change for flip in shown) + Counter(flip.kind for flip in shown)
    with replacing(out / "compare.html") as file:
        file.write(render("compare.html", result, titles=TITLES, flips=shown, kinds=dict(kinds.most_common())))
    with replacing(out / "compare.md") as file:
        file.write(render("compare.md", result, titles=TITLES))
    write_json(out / "compare.json", result)
    return result


def compare_files(a: Path, b: Path, *, out: Path, max_drop: float = MAX_DROP, seed: int = 0) -> dict[str, Any]:
    """Compare two report folders, or two predictions files; see `compare`.

    A folder holds `predictions.jsonl`. The models' names and hashes are those of the `report.json` beside it; a
    predictions file without one is named by its path.

    Raises:
        OnrecordError: A file is missing or malformed, or the rows are not the same.
    """
    rows_a, report_a = _read_side(a)
    rows_b, report_b = _read_side(b)
    return compare(
        rows_a,
        rows_b,
        out=out,
        model_a=report_a["model"],
        model_b=report_b["model"],
        data=report_a.get("data") or report_b.get("data"),
        max_drop=max_drop,
        development=bool(report_a.get("stamp") or report_b.get("stamp")),
        seed=seed,
    )


def _read_side(path: Path) -> tuple[list[Prediction], dict[str, Any]]:
    """Return predictions, and the report beside them or what takes its place."""
    file = path / "predictions.jsonl" if path.is_dir() else path
    rows = read_predictions(file)
    report = file.with_name("report.json")
    if not report.exists():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return rows, {"model": {"name": str(path), "sha256": None, "predictions_sha256": digest}}
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        return rows, {"model": dict(found["model"]), "data": found.get("data"), "stamp": found.get("stamp")}
    except (ValueError, TypeError, KeyError) as error:
        raise OnrecordError(f"{report}: not a report; write it again with 'onrecord eval'") from error


def _both(before: Resampled, after: Resampled, statistic: Statistic) -> dict[str, Any]:
    return {
        "a": before.figure(statistic),
        "b": after.figure(statistic),
        "difference": after.difference(before, statistic),
    }


def _harmful(before: Resampled, after: Resampled) -> dict[str, Any]:
    return _both(before, after, metrics.harmful_rate) | {"a": harmful_rate(before), "b": harmful_rate(after)}


def _per_label(before: Resampled, after: Resampled) -> dict[Label, dict[str, Any] | None]:
    """Return each label's figures on both sides; None for a label that is not in the gold."""
    columns = {
        name: zip(
            before.figures(of, called=name == "precision"),
            after.figures(of, called=name == "precision"),
            after.differences(before, of),
            strict=True,
        )
        for name, of in _PER_LABEL.items()
    }
    rows = {name: [dict(zip(("a", "b", "difference"), row, strict=True)) for row in of] for name, of in columns.items()}
    support = before.total.sum(axis=1)
    return {
        label: {"support": int(support[at]), **{name: of[at] for name, of in rows.items()}} if support[at] else None
        for at, label in enumerate(LABELS)
    }


def _chance(difference: Mapping[str, Any]) -> str:
    """Say whether a difference may be chance."""
    ci95 = difference["ci95"]
    if ci95 is None:
        return "whether it is chance, one article cannot tell"
    return "hardly by chance" if ci95[0] > 0 or ci95[1] < 0 else "it may be chance"


def _points(difference: Mapping[str, Any]) -> str:
    ci95 = difference["ci95"]
    interval = f" (95 % interval {100 * ci95[0]:+.1f} to {100 * ci95[1]:+.1f})" if ci95 else ""
    return f"{100 * difference['value']:+.1f} points{interval}"


def _verdict(difference: Mapping[str, Any], *, worse: bool, max_drop: float) -> str:
    chance = _chance(difference)
    said = f"macro F1 changes by {_points(difference)}"
    if worse:
        return f"B is worse than allowed: {said}, and may fall by {100 * max_drop:.1f}; {chance}."
    if chance != "hardly by chance":
        return f"No difference that this file can show: {said}; {chance}."
    return f"B is {'better' if difference['value'] > 0 else 'worse, but no more than allowed'}: {said}; {chance}."


def _sentences(result: Mapping[str, Any], before: Resampled, after: Resampled) -> Iterator[str]:
    """Say what else to know before B takes A's place: the harmful error, the labels, and what the file cannot say."""
    cell = metrics.ANONYMOUS, metrics.ATTRIBUTED
    n_a, n_b, n = int(before.total[cell]), int(after.total[cell]), int(before.total[metrics.ANONYMOUS].sum())
    if not n:
        yield "No anonymous sentence is in the file: the error that does most harm cannot be compared here."
    else:
        change = "rises" if n_b > n_a else "falls" if n_b < n_a else "stays"
        counts = f"from {n_a} to {n_b}" if n_b != n_a else f"at {n_a}"
        how = "too few to judge by" if n < TOO_FEW else _chance(result["overall"]["harmful_rate"]["difference"])
        yield (
            "The error that does most harm, anonymous called attributed, "
            f"{change} {counts} of {n} sentences{'' if n_a == n_b else '; ' + how}."
        )
    labels = {label: entry for label, entry in result["per_label"].items() if entry and entry["support"] >= TOO_FEW}
    for word, sign in (("Better", 1), ("Worse", -1)):
        sure = [
            f"{label} {_points(entry['f1']['difference'])}"
            for label, entry in labels.items()
            if sign * entry["f1"]["difference"]["value"] > 0
            and _chance(entry["f1"]["difference"]) == "hardly by chance"
        ]
        if sure:
            yield f"{word} in F1, hardly by chance: {', '.join(sure)}."
    few = [
        f"{label} ({entry['support']})"
        for label, entry in result["per_label"].items()
        if entry and entry["support"] < TOO_FEW
    ]
    if few:
        yield f"Too few sentences (under {TOO_FEW}) to judge by: {', '.join(few)}."
    absent = [label for label, entry in result["per_label"].items() if entry is None]
    if absent:
        yield f"Not in the file, and in no mean: {', '.join(absent)}."
    if result["n_rows_without_doc"]:
        yield (
            f"{result['n_rows_without_doc']} of {result['n_sentences']} rows name no article: each counts as one of "
            "its own, and the intervals are narrower than they should be."
        )
    if 1 < result["n_docs"] < FEW_DOCS:
        yield f"Intervals from {result['n_docs']} articles are rough: too narrow rather than too wide."

"""What the figures say in words, for somebody who has one minute; and what they cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..data.labels import LABELS, TAGS, Label
from .confidence import MIN_KEPT
from .predictions import Prediction
from .slices import MIN_DOCS, TOO_FEW

MAX_BELOW = 4
"""Weak slices to name in words; the table marks them all."""
FEW_DOCS = 20
"""Intervals from fewer articles than this are rough: nothing is called reliable by them."""
RELIABLE_F1, RELIABLE_HARM = 0.90, 0.10
"""Even at the unlucky end of its interval, macro F1 reaches this and the harmful error stays under that."""
USEFUL_F1, USEFUL_HARM = 0.75, 0.20
"""The measured values reach this and stay under that."""

RULE = (
    f"Reliable: macro F1 of at least {RELIABLE_F1:.2f} and at most {100 * RELIABLE_HARM:.0f} % of anonymous sentences "
    f"called attributed, at the unlucky end of both intervals, over {FEW_DOCS} articles or more. "
    f"Useful: at least {USEFUL_F1:.2f} and at most {100 * USEFUL_HARM:.0f} % as measured. "
    "Otherwise not to be relied on."
)
MEANING = (
    "It tells who stands behind a claim, not whether the claim is true: "
    "unverified is not false, attributed is not right."
)


def verdict(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a level (`reliable`, `useful`, `weak`, `unknown`), a headline and sentences, from a report's figures."""
    level = _level(report)
    headline = {
        "reliable": "Reliable on text like this file's. Read the sentences that matter yourself all the same.",
        "useful": "A useful first reading, not a verdict: check every sentence that matters.",
        "weak": "Not to be relied on for text like this.",
        "unknown": "Too little here to say whether it can be relied on.",
    }[level]
    return {"level": level, "headline": headline, "sentences": list(_sentences(report)), "rule": RULE}


def cautions(report: Mapping[str, Any]) -> list[str]:
    """Return what a reader must know before trusting the figures."""
    found: list[str] = []
    n_docs, without = report["n_docs"], report["n_rows_without_doc"]
    if without:
        found.append(
            f"{without} of {report['n_sentences']} rows name no article: each counts as an article of its own, "
            "the intervals are over rows there, and narrower than they should be."
        )
    if 1 < n_docs < FEW_DOCS:
        found.append(f"Intervals from {n_docs} articles are rough: too narrow rather than too wide.")
    few = [
        f"{label} ({entry['support']})" for label, entry in report["per_label"].items() if entry and entry["too_few"]
    ]
    if few:
        found.append(f"Too few sentences (under {TOO_FEW}) to judge by: {', '.join(few)}.")
    return found


def not_computed(rows: Sequence[Prediction], report: Mapping[str, Any]) -> list[str]:
    """Return what the file does not allow to compute, and why."""
    found: list[str] = []
    absent = [label for label, entry in report["per_label"].items() if entry is None]
    if absent:
        found.append(
            f"No sentence is labelled {_listed(absent)}: without figures, and macro F1 is the mean over the other "
            f"{report['n_labels']}."
        )
    if report["mcc"]["value"] is None:
        found.append("MCC: all sentences have, or are given, one label.")
    if report["n_docs"] == 1:
        found.append("Intervals: all sentences are of one article.")
    unknown = sum(row.spans is None for row in rows)
    if unknown:
        found.append(f"Evidence of {unknown} of {len(rows)} sentences: their gold spans are unknown.")
    if unknown < len(rows):
        found += [f"Evidence: no {tag} in the gold." for tag in TAGS if report["evidence"][tag] is None]
    if report["calibration"]["before"] is None:
        found.append("Calibration before temperature: not every prediction has its uncalibrated probabilities.")
    if report["abstention"]["suggested"] is None:
        aim = f"{100 * report['abstention']['max_risk']:.0f} %"
        found.append(f"A threshold for abstaining: none leaves an error of {aim} or less among {MIN_KEPT} sentences.")
    if not any(row.before or row.after for row in rows):
        found.append("Errors in their context: the sentences around them are not in the file.")
    sliced = {entry["name"] for entry in report["slices"]}
    missing = [name for name in ("genre", "style", "position", "source", "context") if name not in sliced]
    if missing:
        found.append(
            f"Slices by {_listed(missing)}: not known, the same for all sentences, or no value with enough of them."
        )
    small = sum(group["too_few"] for entry in report["slices"] for group in entry["groups"])
    if small:
        found.append(f"Figures of {small} slices: under {TOO_FEW} sentences or {MIN_DOCS} articles, too few.")
    found.append("An interval for ECE: resampling a file raises its ECE, so that the interval would miss its value.")
    return found


def to_mend(report: Mapping[str, Any]) -> list[str]:
    """Return where to look first: the most frequent confusions, and the slices that are surely below the file."""
    found: list[str] = []
    counts = report["confusion"]["counts"]
    confusions = [
        (counts[row][column], f"{gold} called {called}")
        for row, gold in enumerate(LABELS)
        for column, called in enumerate(LABELS)
        if row != column and counts[row][column]
    ]
    if confusions:
        confusions.sort(key=lambda one: -one[0])
        said = ", ".join(f"{confusion} ({n})" for n, confusion in confusions[:3])
        found.append(f"Most frequent errors: {said}; {report['errors']['n']} in all.")
    judged = [(entry["name"], group) for entry in report["slices"] for group in entry["groups"] if not group["too_few"]]
    below = sorted(((name, group) for name, group in judged if group["below"]), key=_accuracy_of)
    if below:
        said = "; ".join(
            f"{name} “{group['value']}”, {_of_100(group['accuracy'], 'right')}" for name, group in below[:MAX_BELOW]
        )
        more = f" and {len(below) - MAX_BELOW} more" if len(below) > MAX_BELOW else ""
        found.append(
            f"Right less often than the whole file ({100 * report['accuracy']['value']:.0f} of 100): {said}{more}. "
            f"Of {len(judged)} slices about one in forty looks so by chance."
        )
    elif judged:
        found.append(f"None of {len(judged)} slices is clearly right less often than the whole file.")
    return found


def _accuracy_of(pair: tuple[str, Mapping[str, Any]]) -> float:
    return float(pair[1]["accuracy"]["value"])


def _level(report: Mapping[str, Any]) -> str:
    macro_f1, harm = report["macro_f1"], report["harmful"]["rate"]
    if report["n_sentences"] < TOO_FEW or report["n_labels"] < 2 or macro_f1["ci95"] is None:
        return "unknown"
    if harm["value"] is None or report["harmful"]["too_few"]:
        return "unknown" if macro_f1["value"] >= USEFUL_F1 else "weak"
    certain = macro_f1["ci95"][0] >= RELIABLE_F1 and harm["ci95"] is not None and harm["ci95"][1] <= RELIABLE_HARM
    if certain and report["n_docs"] >= FEW_DOCS:
        return "reliable"
    return "useful" if macro_f1["value"] >= USEFUL_F1 and harm["value"] <= USEFUL_HARM else "weak"


def _sentences(report: Mapping[str, Any]) -> Iterator[str]:
    unit = "article" if report["n_rows_without_doc"] < report["n_sentences"] else "row"
    yield (
        f"It gives {_of_100(report['accuracy'], 'sentences')} the label that a reader with the guide gave them, "
        f"over {report['n_sentences']} sentences of {report['n_docs']} {unit}{'' if report['n_docs'] == 1 else 's'}."
    )
    harm = report["harmful"]
    if harm["n_anonymous"]:
        few = ": too few to judge by" if harm["too_few"] else ""
        yield (
            "The error that does most harm, an unidentified source passed off as an identified one: "
            f"{harm['count']} of {harm['n_anonymous']} anonymous sentences called attributed, "
            f"{_per_cent(harm['rate'])}{few}."
        )
    precisions = {
        label: f"“{label}” {100 * entry['precision']:.0f}" + (" (too few to judge by)" if entry["too_few"] else "")
        for label, entry in report["per_label"].items()
        if entry is not None and entry["precision"] is not None
    }
    if precisions:
        said = ", ".join(precisions.values())
        yield f"Of 100 times that it gives a label, it is right: {said}."
    if report["baselines"]:
        best = max(report["baselines"], key=lambda one: one["macro_f1"]["value"])
        yield f"Macro F1 is {report['macro_f1']['value']:.2f}; that of the best baseline ({best['name']}) is " + (
            f"{best['macro_f1']['value']:.2f}, {_points(best['ahead'])}."
        )
    suggested = report["abstention"]["suggested"]
    if suggested is not None and suggested["coverage"] < 1:  # else all may be kept: nothing to add
        undecided = 100 - 100 * suggested["coverage"]
        yield (
            f"Left undecided under a confidence of {suggested['threshold']:.2f}, {undecided:.0f} of 100 sentences go "
            f"to a person, and {100 * suggested['risk']:.0f} of 100 of the others are wrong."
        )
    yield MEANING


def _per_cent(figure: Mapping[str, Any]) -> str:
    ci95 = figure["ci95"]
    interval = f" (95 % interval {100 * ci95[0]:.0f} to {100 * ci95[1]:.0f})" if ci95 else ""
    return f"{100 * figure['value']:.0f} %{interval}"


def _of_100(figure: Mapping[str, Any], what: str) -> str:
    ci95 = figure["ci95"]
    interval = f" (95 % interval {100 * ci95[0]:.0f} to {100 * ci95[1]:.0f})" if ci95 else ""
    return f"{100 * figure['value']:.0f} of 100 {what}{interval}"


def _points(figure: Mapping[str, Any]) -> str:
    ci95 = figure["ci95"]
    interval = f" (95 % interval {100 * ci95[0]:+.1f} to {100 * ci95[1]:+.1f})" if ci95 else ""
    return f"a difference of {100 * figure['value']:+.1f} points{interval}"


def _listed(words: Sequence[str | Label]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))

"""How a model behaves on groups of sentences that test one thing each (Gardner et al., 2020; Ribeiro et al., 2020).

A contrast group counts only where all its rows are right, an invariance group where all its rows get one label. Groups
are what the bootstrap draws. `data/groups.py` reads them; what the model sees is cut here to measure what context is
worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.groups import read_groups
from ..data.records import Article
from ..model.scorer import Model
from .errors import is_harmful
from .intervals import Bootstrap
from .metrics import divide
from .predict import predict
from .predictions import Prediction

CONTEXTS = (0, 1, 2, 6)
"""So many sentences before are shown to see what context is worth."""


def behaviour(model: Model, path: Path, *, seed: int = 0) -> dict[str, Any]:
    """Run a model over a file or folder of groups and return its figures.

    Args:
        model: A loaded model.
        path: `*.groups`, or a folder of them.
        seed: Of the bootstrap over groups.

    Returns:
        Those of `group_figures`, the model's name and hash, and under `context` the share of rows and of groups that
        are right among those that differ by context alone, for 0, 1, 2 and 6 sentences before.

    Raises:
        OnrecordError: A file is malformed or missing.
    """
    articles = read_groups(path)
    figures = group_figures(predict(model, articles), seed=seed)
    by_context = [article for article in articles if article.meta["by_context"] == "True"]
    context = {}
    for n_before in CONTEXTS if by_context else ():
        rows = predict(model, [with_context(article, n_before) for article in by_context])
        groups = [*_by_group(rows).values()]
        right = _share(rows, [row.label == row.predicted for row in rows], seed=seed)
        context[str(n_before)] = {
            "right": right,
            "fully_right": _share_of_groups(groups, _fully_right(groups), seed=seed),
        }
    return {"model": {"name": model.id.name, "sha256": model.id.sha256}, **figures, "context": context}


def with_context(row: Article, n_before: int) -> Article:
    """Leave a row at most so many sentences before its judged one."""
    (target,) = row.judged
    first = max(0, target - n_before)
    return replace(row, sentences=row.sentences[first:], judged=(target - first,))


def group_figures(rows: Sequence[Prediction], *, seed: int = 0) -> dict[str, Any]:
    """Return the figures of predictions for rows of `read_groups`.

    `contrast`, `by_context` (a part of it) and `invariance` have `n_groups` and shares `{"value", "ci95"}`; `harmful`
    is the share of anonymous rows called attributed; `phenomena` has a line for each; `wrong` lists the wrong rows.
    """
    groups = [*_by_group(rows).values()]
    contrast = [group for group in groups if group[0].meta["invariance"] != "True"]
    by_context = [group for group in contrast if group[0].meta["by_context"] == "True"]
    invariance = [group for group in groups if group[0].meta["invariance"] == "True"]
    anonymous = [row for row in rows if row.label == "anonymous"]
    harmful = [is_harmful(row) for row in anonymous]
    return {
        "n_rows": len(rows),
        "contrast": _figures(contrast, seed=seed),
        "by_context": _figures(by_context, seed=seed),
        "invariance": _figures(invariance, seed=seed)
        | {"same_label": _share_of_groups(invariance, [_same_label(group) for group in invariance], seed=seed)},
        "harmful": {
            "n_anonymous": len(anonymous),
            "n_called_attributed": sum(harmful),
            "rate": _share(anonymous, harmful, seed=seed),
        },
        "phenomena": _phenomena(groups),
        "wrong": [_wrong(row) for row in rows if row.label != row.predicted],
    }


def table(figures: dict[str, Any]) -> str:
    """Return the figures of each phenomenon as lines of text, then the wrong rows, for a message."""
    lines = [f"{'phenomenon':24}{'groups':>8}{'fully right':>13}{'rows':>6}{'right':>7}"]
    lines += [
        f"{name:24}{one['n_groups']:>8}{one['fully_right']:>13.2f}{one['n_rows']:>6}{one['right']:>7.2f}"
        for name, one in figures["phenomena"].items()
    ]
    lines += [f"{one['id']}: {one['label']} called {one['predicted']}: {one['text']}" for one in figures["wrong"]]
    return "\n".join(lines)


_Group = list[Prediction]


def _by_group(rows: Sequence[Prediction]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for row in rows:
        groups.setdefault(row.meta["group"], []).append(row)
    return groups


def _fully_right(groups: Sequence[_Group]) -> list[bool]:
    return [all(row.label == row.predicted for row in group) for group in groups]


def _same_label(group: _Group) -> bool:
    return len({row.predicted for row in group}) == 1


def _figures(groups: Sequence[_Group], *, seed: int) -> dict[str, Any]:
    return {"n_groups": len(groups), "fully_right": _share_of_groups(groups, _fully_right(groups), seed=seed)}


def _share_of_groups(groups: Sequence[_Group], hits: Sequence[bool], *, seed: int) -> dict[str, Any]:
    return _share([group[0] for group in groups], hits, seed=seed)


def _share(rows: Sequence[Prediction], hits: Sequence[bool], *, seed: int) -> dict[str, Any]:
    """Return the share of hits with its interval over groups; None without rows."""
    if not rows:
        return {"value": None, "ci95": None}
    counts = np.array([(hit, 1) for hit in hits], dtype=np.float64)
    resampled = Bootstrap([row.meta["group"] for row in rows], seed=seed).add(counts)
    return resampled.figure(lambda sums: divide(sums[..., 0], sums[..., 1]))


def _phenomena(groups: Sequence[_Group]) -> dict[str, dict[str, Any]]:
    parts: dict[str, list[_Group]] = {}
    for group in groups:
        parts.setdefault(group[0].meta["phenomenon"], []).append(group)
    figures = {}
    for name, members in parts.items():
        rows = [row for group in members for row in group]
        figures[name] = {
            "n_groups": len(members),
            "fully_right": round(sum(_fully_right(members)) / len(members), 4),
            "n_rows": len(rows),
            "right": round(sum(row.label == row.predicted for row in rows) / len(rows), 4),
        }
    return figures


def _wrong(row: Prediction) -> dict[str, Any]:
    place = {"id": row.id, "phenomenon": row.meta["phenomenon"]}
    said = {"label": row.label, "predicted": row.predicted, "confidence": round(row.confidence, 4)}
    return place | said | {"text": row.text, "before": list(row.before or ())}

from __future__ import annotations

from typing import Any

import pytest
from onrecord.data.labels import Label
from onrecord.data.records import Span
from onrecord.eval.evidence import evidence_figures
from onrecord.eval.intervals import Bootstrap
from onrecord.eval.predictions import FoundSpan, Prediction

from .eval_rows import row


def found(tag: Any, start: int, end: int, kind: Any = None) -> FoundSpan:
    return FoundSpan(tag, start, end, 0.9, kind)


def figures_of(*rows: Prediction) -> Any:
    return evidence_figures(rows, Bootstrap([one.id for one in rows], seed=0))


def judged(name: str, predicted: Label, gold: list[Span] | None, evidence: list[FoundSpan]) -> Prediction:
    return row(name, "anonymous", predicted, spans=None if gold is None else tuple(gold), evidence=tuple(evidence))


def test_exact_and_overlap_f1_of_a_worked_example() -> None:
    figures = figures_of(
        judged(
            "a", "anonymous", [Span(0, 9, "source"), Span(10, 14, "cue")], [found("source", 0, 9), found("cue", 10, 14)]
        ),
        judged("b", "anonymous", [Span(0, 9, "source")], [found("source", 4, 9), found("source", 20, 25)]),
    )
    # Sources: 1 of 2 gold and of 3 found is exact; 9 + 5 characters of 18 gold and of 19 found are shared.
    assert figures["source"]["exact_f1"] == pytest.approx(2 * 1 / (2 + 3))
    assert figures["source"]["overlap_f1"] == pytest.approx(2 * 14 / (18 + 19), abs=1e-6)
    assert figures["source"]["support"] == 2
    assert figures["cue"]["exact_f1"] == figures["cue"]["overlap_f1"] == 1
    assert figures["hedge"] is None


def test_a_span_under_another_tag_is_not_found() -> None:
    figures = figures_of(judged("a", "anonymous", [Span(0, 9, "source")], [found("cue", 0, 9)]))
    assert figures["source"]["overlap_f1"] == 0


def test_with_the_right_label_required_a_wrong_sentence_finds_nothing() -> None:
    gold, evidence = [Span(0, 9, "source")], [found("source", 0, 9)]
    source = figures_of(judged("a", "anonymous", gold, evidence), judged("b", "attributed", gold, evidence))["source"]
    assert source["overlap_f1"] == 1
    assert source["overlap_f1_right_label"] == source["exact_f1_right_label"] == pytest.approx(2 * 1 / (2 + 2))


def test_rows_without_gold_spans_are_left_out() -> None:
    known = judged("a", "anonymous", [Span(0, 9, "source")], [found("source", 0, 9)])
    unknown = judged("b", "anonymous", None, [found("source", 0, 4)])
    assert figures_of(known, unknown)["source"]["overlap_f1"] == 1
    assert figures_of(unknown) == {"source": None, "cue": None, "hedge": None}


def test_a_span_found_where_there_is_none_counts_against_it() -> None:
    known = judged("a", "anonymous", [Span(0, 9, "source")], [found("source", 0, 9)])
    empty = judged("b", "anonymous", [], [found("source", 0, 9)])
    assert figures_of(known, empty)["source"]["overlap_f1"] == pytest.approx(2 * 9 / (9 + 18), abs=1e-6)


def test_overlapping_spans_of_one_tag_count_their_characters_once() -> None:
    figures = figures_of(
        judged("a", "anonymous", [Span(0, 10, "source")], [found("source", 0, 8), found("source", 4, 10)])
    )
    assert figures["source"]["overlap_f1"] == 1


def test_the_kind_of_a_source_is_that_of_the_found_span_which_covers_most_of_it() -> None:
    figures = figures_of(
        judged(
            "a",
            "anonymous",
            [Span(0, 9, "source", "unidentified"), Span(20, 26, "source", "identified")],
            [
                found("source", 0, 2, "identified"),
                found("source", 3, 9, "unidentified"),
                found("source", 30, 33, "identified"),
            ],
        ),
        judged("b", "anonymous", [Span(0, 9, "source", "unidentified")], [found("source", 0, 9, "identified")]),
    )
    assert figures["source"]["kind_accuracy"] == 0.5
    assert figures["source"]["kind_support"] == 2

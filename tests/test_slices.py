from __future__ import annotations

import pytest
from onrecord.data.records import Span
from onrecord.eval.slices import needs_context, position, quoted, slice_rows, source_words

from .eval_rows import row


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"No," he said.', "with quotation marks"),
        ("“No.”", "with quotation marks"),
        ("«Non», dit-elle.", "with quotation marks"),
        ("It was 'a mess', he said.", "with quotation marks"),
        ("He called it ‘a mess.’", "with quotation marks"),
        ("The mayor's office isn't open.", "without"),
        ("The teachers' union and the drivers' union met.", "without"),
        ("It rained.", "without"),
    ],
)
def test_quotation_marks_are_told_from_apostrophes(text: str, expected: str) -> None:
    assert quoted(row("a", "none", "none", text=text)) == expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"position": 0, "n_sentences": 9}, "first"),
        ({"position": 2, "n_sentences": 9}, "first third"),
        ({"position": 3, "n_sentences": 9}, "second third"),
        ({"position": 6, "n_sentences": 9}, "last third"),
        ({"position": 3}, None),
        ({}, None),
    ],
)
def test_the_position_in_the_article_is_told_where_it_is_known(meta: dict[str, int], expected: str | None) -> None:
    assert position(row("a", "none", "none", meta=meta)) == expected


@pytest.mark.parametrize(
    ("text", "source", "words", "context"),
    [
        ("He said no.", "He", "pronoun", "needs context"),
        ("The official said no.", "The official", "name or description", "needs context"),
        ("The Kremlin said no.", "The Kremlin", "name or description", "stands alone"),
        ("Two aides said no.", "Two aides", "name or description", "stands alone"),
        ("And so it goes on.", None, None, "needs context"),
    ],
)
def test_pronouns_descriptions_and_sentences_without_a_source_need_context(
    text: str, source: str | None, words: str | None, context: str
) -> None:
    spans = () if source is None else (Span(text.index(source), text.index(source) + len(source), "source"),)
    one = row("a", "attributed", "none", text=text, spans=spans)
    assert source_words(one) == words
    assert needs_context(one) == context


def test_sources_and_context_are_unknown_without_spans_and_for_labels_without_a_source() -> None:
    assert source_words(row("a", "attributed", "none")) is None
    assert needs_context(row("a", "attributed", "none")) is None
    assert needs_context(row("a", "unverified", "none", spans=())) is None


def test_every_word_or_yes_and_no_of_meta_is_a_slice_by_what_stands_before_its_first_comma() -> None:
    metas = [{"genre": "war, ports", "sure": True}, {"genre": "war (live)", "sure": False}, {"genre": "sport", "n": 3}]
    slices = slice_rows([row(str(at), "none", "none", meta=meta) for at, meta in enumerate(metas)])
    assert slices["genre"] == {"war": [0, 1], "sport": [2]}
    assert slices["sure"] == {"yes": [0], "no": [1]}
    assert "n" not in slices


def test_a_slice_of_one_value_is_left_out() -> None:
    assert slice_rows([row("a", "none", "none", meta={"genre": "war"}), row("b", "none", "none")]) == {}


def test_of_many_values_the_largest_stay_and_the_rest_is_put_together() -> None:
    rows = [row(f"{at}", "none", "none", meta={"genre": f"g{at % 20 if at < 100 else 3}"}) for at in range(200)]
    genres = slice_rows(rows)["genre"]
    assert list(genres) == ["g3", "19 others"]
    assert len(genres["g3"]) == 105
    assert sorted(at for rows_of_value in genres.values() for at in rows_of_value) == list(range(200))

"""Labelled rows: reading, errors, writing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onrecord.data.records import Article, OnrecordError, Sentence, Span
from onrecord.data.rows import article_to_rows, read_rows, row_to_article, to_jsonl, write_jsonl, write_whole

ROW = {
    "id": "mill.1",
    "doc": "mill",
    "text": "Two aides said no.",
    "before": ["Mill burns", "It rained."],
    "after": ["Nobody slept."],
    "label": "anonymous",
    "spans": [
        {"start": 0, "end": 9, "tag": "source", "kind": "unidentified"},
        {"start": 10, "end": 14, "tag": "cue"},
    ],
    "desk": "local",
}


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def save_rows(path: Path, *rows: object) -> Path:
    return save(path, "".join(json.dumps(row) + "\n" for row in rows))


def test_a_row_becomes_an_article_that_judges_one_sentence() -> None:
    assert row_to_article(ROW, fallback_id="x") == Article(
        "mill.1",
        "mill",
        (
            Sentence("Mill burns"),
            Sentence("It rained."),
            Sentence(
                "Two aides said no.", "anonymous", (Span(0, 9, "source", "unidentified"), Span(10, 14, "cue", None))
            ),
            Sentence("Nobody slept."),
        ),
        (2,),
        {"desk": "local"},
    )


def test_only_the_text_is_needed() -> None:
    assert row_to_article({"text": "It rained."}, fallback_id="x") == Article("x", "x", (Sentence("It rained."),), (0,))


@pytest.mark.parametrize(("spans", "held"), [({}, None), ({"spans": None}, None), ({"spans": []}, ())])
def test_absent_spans_are_unknown_and_an_empty_list_is_none(spans: dict[str, Any], held: object) -> None:
    assert row_to_article({"text": "It rained.", **spans}, fallback_id="x").sentences[0].spans == held


def test_a_number_may_be_an_id() -> None:
    article = row_to_article({"text": "It rained.", "id": 0, "doc": 7}, fallback_id="x")
    assert (article.id, article.doc) == ("0", "7")


def test_blank_context_is_dropped_and_the_judged_sentence_kept_in_view() -> None:
    article = row_to_article({"text": "It rained.", "before": ["", "Mill burns", " "]}, fallback_id="x")
    assert [sentence.text for sentence in article.sentences] == ["Mill burns", "It rained."]
    assert article.judged == (1,)


def test_a_table_maps_the_files_own_label_names(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", "text,label\nIt rained.,0\nSo she said.,named\n")
    labels = {"0": "none", "named": "attributed"}
    assert [a.sentences[0].label for a in read_rows(path, labels=labels)] == ["none", "attributed"]


# Forms


@pytest.mark.parametrize("wrap", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t], ids=["CRLF", "BOM"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"text": "It rained."}\n\n{"text": "It snowed.", "label": "none"}\n'),
        ("a.csv", "text,label\nIt rained.,\nIt snowed.,none\n"),
    ],
)
def test_line_ends_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, name: str, content: str, wrap: Callable[[str], str]
) -> None:
    articles = read_rows(save(tmp_path / name, wrap(content)))
    assert [(a.sentences[0].text, a.sentences[0].label) for a in articles] == [
        ("It rained.", None),
        ("It snowed.", "none"),
    ]


def test_a_csv_cell_may_hold_commas_quotation_marks_and_line_ends(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", 'id,text,label\r\n1,"“No,” she said,\r\n""twice"".",attributed\r\n')
    assert read_rows(path)[0].sentences[0].text == '“No,” she said,\r\n"twice".'


@pytest.mark.parametrize("text", ["🚒 Zoë said: “no” 🙂", "Re\u0301my sai\u0301d no.", "It rained.\u2028Then not."])
def test_emoji_combining_marks_and_line_separators_are_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"text": text, "spans": [{"start": 2, "end": 5, "tag": "source"}]}])
    (sentence,) = read_rows(path)[0].sentences
    (span,) = sentence.spans or ()
    assert sentence.text == text
    assert sentence.text[span.start : span.end] == text[2:5]


def test_parquet_holds_the_same_columns(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    parquet.write_table(arrow.Table.from_pylist([ROW, {"text": "It rained.", "label": "none"}]), tmp_path / "a.parquet")
    first, second = read_rows(tmp_path / "a.parquet")
    assert first == row_to_article(ROW, fallback_id="x")
    assert second == row_to_article({"id": "a.2", "text": "It rained.", "label": "none"}, fallback_id="x")


def test_what_is_no_parquet_is_one_clear_line(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    with pytest.raises(OnrecordError, match=r"a\.parquet: not a Parquet file"):
        read_rows(save(tmp_path / "a.parquet", "text,label\n"))


# Errors


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"label": "none"}, "'text' is missing or empty"),
        ({"text": " "}, "'text' is missing or empty"),
        ({"text": 7}, "'text' is missing or empty"),
        ({"text": "Rain.", "label": "rumour"}, 'label is "rumour", allowed are attributed, anonymous,'),
        ({"text": "Rain.", "label": ["none"]}, 'label is ["none"], allowed'),
        ({"text": "Rain.", "before": "Mill burns"}, "'before' must be a list of sentences, found str"),
        ({"text": "Rain.", "spans": "0-4"}, "'spans' must be a list, found str"),
        ({"text": "Rain.", "spans": [{"start": 0, "end": 9, "tag": "cue"}]}, "span 0–9 does not lie in the text of 5"),
        ({"text": "Rain.", "spans": [{"start": 2, "end": 2, "tag": "cue"}]}, "span 2–2 does not lie"),
        ({"text": "Rain.", "spans": [{"start": 0, "end": 4, "tag": "who"}]}, 'a span\'s tag is "who", allowed are'),
        ({"text": "Rain.", "spans": [{"start": 0, "tag": "cue"}]}, "needs the integers 'start' and 'end'"),
        ({"text": "Rain.", "spans": [{"start": 0, "end": 4, "tag": "source", "kind": "named"}]}, "a span's kind"),
        ({"text": "Rain \ud83d."}, "half a character"),
        ("Rain.", "expected an object, found str"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path: Path, row: object, told: str) -> None:
    path = save_rows(tmp_path / "a.jsonl", {"text": "It rained."}, row)
    with pytest.raises(OnrecordError) as caught:
        read_rows(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", "", "a.jsonl: no rows"),
        ("a.jsonl", '{"text": "Rain."}\n{"text": \n', "a.jsonl:2: not JSON (Expecting value at column 9)"),
        ("a.jsonl", '{"text": "Caf\xe9"}\n'.encode("latin-1"), "a.jsonl: not UTF-8 at byte 13"),
        ("a.csv", "", "a.csv:1: a CSV needs a column 'text'; its header has nothing"),
        ("a.csv", "text,label\n", "a.csv: no rows"),
        ("a.csv", "sentence;label\nRain;none\n", "a.csv:1: a CSV needs a column 'text'; its header has sentence;label"),
        ("a.csv", "text,label\nRain, then sun.,none\n", "a.csv:2: more cells than the header has"),
        ("a.csv", "text,label\nRain.\n", "a.csv:2: fewer cells than the header has"),
        ("a.csv", 'text,label\n"Rain.,none\nSun.,none\n', "a.csv: a double quote is not closed"),
        ("a.csv", "label,text\nIt rained.,none\n", 'a.csv:2: label is "It rained.", allowed are'),
        ("a.csv", "text,label\n,none\n", "a.csv:2: 'text' is missing"),
        ("a.csv", "text,label\nCaf\xe9,none\n".encode("latin-1"), "a.csv: not UTF-8 at byte 14"),
        ("a.xlsx", "", "a.xlsx: labelled rows are read from .jsonl, .csv, .parquet"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(OnrecordError) as caught:
        read_rows(save(tmp_path / name, content))
    assert told in str(caught.value)


def test_column_names_are_read_whatever_their_case_and_space(tmp_path: Path) -> None:
    (article,) = read_rows(save(tmp_path / "a.csv", "ID,Text, label\nx,Bo said no.,attributed\n"))
    assert (article.id, article.sentences[0].label) == ("x", "attributed")


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OnrecordError, match="no regular file"):
        write_jsonl(tmp_path / "pipe", [])
    assert (tmp_path / "pipe").is_fifo()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"nix\.csv: No such file"):
        read_rows(tmp_path / "nix.csv")


def test_collecting_errors_reads_on_behind_each(tmp_path: Path) -> None:
    content = 'text,label\nIt rained.,none\nIt, snowed.,none\nIt thawed.,rumour\n"It froze.",none\n'
    errors: list[str] = []
    articles = read_rows(save(tmp_path / "a.csv", content), errors=errors)
    assert [error.split(":")[1] for error in errors] == ["3", "4"]
    assert [article.sentences[0].text for article in articles] == ["It rained.", "It froze."]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"label": "none", "spans": [{"start": 0, "end": 3, "tag": "cue"}]}, "'none' carries no marks"),
        ({"label": "anonymous", "spans": [{"start": 0, "end": 3, "tag": "hedge"}]}, "hedges are marked in"),
        (
            {"spans": [{"start": 0, "end": 3, "tag": "cue"}, {"start": 2, "end": 5, "tag": "cue"}]},
            "0–3 and 2–5 overlap",
        ),
    ],
)
def test_collecting_errors_looks_at_evidence_too(tmp_path: Path, row: dict[str, object], told: str) -> None:
    path = save_rows(tmp_path / "a.jsonl", {"text": "It rained.", **row})
    errors: list[str] = []
    assert read_rows(path, errors=errors) == []
    assert told in errors[0]
    assert len(read_rows(path)) == 1


# Writing


def test_rows_come_back_as_they_were() -> None:
    assert list(article_to_rows(row_to_article(ROW, fallback_id="x"))) == [ROW]


def test_an_article_gives_a_row_a_sentence_with_its_neighbours() -> None:
    sentences = tuple(Sentence(str(n), "none", ()) for n in range(4))
    rows = list(article_to_rows(Article("a", "a", sentences, (0, 3)), before=2, after=1))
    assert [(row["id"], row["before"], row["text"], row["after"]) for row in rows] == [
        ("a.000", [], "0", ["1"]),
        ("a.003", ["1", "2"], "3", []),
    ]


def test_json_lines_come_back_as_they_were(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [ROW])
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == "".join(to_jsonl([ROW]))
    assert read_rows(tmp_path / "a.jsonl") == [row_to_article(ROW, fallback_id="x")]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = save(tmp_path / "a.txt", "old")

    def chunks() -> Any:
        yield "new"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, chunks())
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text(encoding="utf-8") == "old"

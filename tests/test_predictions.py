from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from onrecord.data.records import OnrecordError
from onrecord.eval.predictions import align, read_predictions, write_predictions

from .eval_rows import many_rows, row, rows_of

GOOD: dict[str, Any] = {
    "id": "a.1",
    "doc": "a",
    "text": "He said no.",
    "label": "attributed",
    "predicted": "none",
    "probabilities": {"attributed": 0.2, "anonymous": 0.1, "unverified": 0.1, "none": 0.6},
    "evidence": [{"tag": "cue", "start": 3, "end": 7, "score": 0.9}],
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_predictions(path, many_rows(30))
    once = read_predictions(path)
    write_predictions(path, once)
    assert read_predictions(path) == once
    assert [one.meta for one in once] == [one.meta for one in many_rows(30)]
    assert [one.name for one in tmp_path.iterdir()] == ["p.jsonl"]


def test_optional_fields_may_be_absent(tmp_path: Path) -> None:
    found = read_predictions(write(tmp_path / "p", {key: GOOD[key] for key in GOOD if key != "doc"}))[0]
    assert (found.doc, found.spans, found.before, found.argmax, found.meta) == (None, None, None, None, {})
    assert found.confidence == 0.6


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": "anon"}, "'label' is \"anon\", allowed are attributed, anonymous, unverified, none"),
        ({"predicted": None}, "'predicted' is null"),
        ({"text": " "}, "'text' is empty"),
        ({"text": 3}, "'text' is 3, expected a string"),
        ({"text": "half \ud800"}, "half a surrogate pair"),
        ({"lable": "none"}, "unknown key 'lable'"),
        ({"probabilities": {"none": 1.0}}, "expected a number for each of"),
        ({"probabilities": GOOD["probabilities"] | {"none": 0.9}}, "adds up to 1.3000"),
        ({"probabilities": GOOD["probabilities"] | {"none": "x"}}, "'probabilities' of none is \"x\""),
        ({"probabilities": GOOD["probabilities"] | {"none": float("nan")}}, "of none is NaN"),
        ({"evidence": None}, "'evidence' is null, expected a list"),
        ({"evidence": [{"tag": "cue", "start": 3, "end": 99, "score": 1}]}, "covers 3 to 99"),
        ({"evidence": [{"tag": "cue", "start": 3, "end": 7}]}, "'score' is null"),
        ({"spans": [{"tag": "verb", "start": 3, "end": 7}]}, "allowed are source, cue, hedge"),
        ({"spans": [{"tag": "source", "start": 3, "end": 7, "kind": "known"}]}, "identified, unidentified"),
        ({"before": "He came."}, "'before' is \"He came.\", expected a list"),
        ({"meta": []}, "'meta' is list"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_what_is_allowed(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    path = write(tmp_path / "p.jsonl", GOOD, GOOD | {"id": "b"} | change)
    with pytest.raises(OnrecordError) as caught:
        read_predictions(path)
    assert f"{path}:2: " in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no predictions"),
        (b"\n\n", "no predictions"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b'{"id": \n', ":1: not JSON"),
        (b"[]\n", ":1: found list, expected an object"),
        (b'{"id": "a"}\n', ":1: without text, label, predicted, probabilities, evidence"),
    ],
)
def test_a_file_that_holds_no_predictions_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    with pytest.raises(OnrecordError, match=complaint):
        read_predictions(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"none\.jsonl: No such file"):
        read_predictions(tmp_path / "none.jsonl")


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r":2: id 'a\.1' stands in line 1 too"):
        read_predictions(write(tmp_path / "p", GOOD, GOOD))


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_predictions(path, rows_of("aa"))
    before = path.read_bytes()
    broken = row("x", "none", "none", meta={"weight": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_predictions(path, [broken])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_other_rows_are_put_into_the_same_order() -> None:
    rows = rows_of("aa oo nn")
    assert align(rows, rows[::-1], name="b") == rows


@pytest.mark.parametrize(
    ("others", "complaint"),
    [
        (rows_of("aa oo"), "b: 2 rows against 3, row 'r2' is not there"),
        (rows_of("aa oo nn nn"), "b: 4 rows against 3, it has rows of its own"),
        (rows_of("aa oo un"), "row 'r2' has another label"),
        (rows_of("aa oo nn", text="No."), r"row 'r0' has another text \('No\.'"),
    ],
)
def test_predictions_of_another_file_cannot_be_compared(others: list[Any], complaint: str) -> None:
    with pytest.raises(OnrecordError, match=complaint):
        align(rows_of("aa oo nn"), others, name="b")

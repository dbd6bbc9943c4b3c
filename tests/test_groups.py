from __future__ import annotations

from pathlib import Path

import pytest
from onrecord.data.groups import read_groups
from onrecord.data.records import OnrecordError, Span

GROUPS = """\
## A comment.

# context: shut-gate
- Ada Moss came at noon.
- It rained.
attributed | {s:She} {c:said} the gate was shut.
- A woman without a name came at noon.
anonymous | {a:She} {c:said} the gate was shut.
+ She left.

# invariance: colours
none | The gate is grey.
none | The gate is gray.
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_one_judged_sentence_with_what_stands_around_it(tmp_path: Path) -> None:
    first, second, *_ = read_groups(write(tmp_path / "gates.groups", GROUPS))
    assert (first.id, first.doc, first.judged) == ("shut-gate.1", "shut-gate", (2,))
    assert [sentence.text for sentence in first.sentences] == [
        "Ada Moss came at noon.",
        "It rained.",
        "She said the gate was shut.",
    ]
    assert first.sentences[2].label == "attributed"
    assert first.sentences[2].spans == (Span(0, 3, "source", "identified"), Span(4, 8, "cue"))
    assert [sentence.label for sentence in second.sentences] == [None, "anonymous", None]
    assert second.sentences[2].text == "She left."


def test_a_row_knows_its_phenomenon_and_what_its_group_tests(tmp_path: Path) -> None:
    rows = read_groups(write(tmp_path / "gates.groups", GROUPS))
    context, invariance = rows[0].meta, rows[2].meta
    assert context == {"phenomenon": "gates", "group": "shut-gate", "by_context": "True", "invariance": "False"}
    assert invariance == {"phenomenon": "gates", "group": "colours", "by_context": "False", "invariance": "True"}


def test_a_folder_is_read_in_the_order_of_its_files_names(tmp_path: Path) -> None:
    write(tmp_path / "b.groups", "# contrast: two\nnone | It rains.\nnone | It snows.\n")
    write(tmp_path / "a.groups", "# contrast: one\nnone | It rains.\nnone | It snows.\n")
    write(tmp_path / "c.txt", "no groups")
    assert [row.id for row in read_groups(tmp_path)] == ["one.1", "one.2", "two.1", "two.2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none | It rains.\n", r"x\.groups:1: .*expected '# contrast: name' before"),
        ("# pair: a\n", "expected '# kind: name' with a kind of contrast, context, invariance"),
        ("# contrast:\n", "expected '# kind: name'"),
        ("# contrast: a\nnone | It rains.\n", r"x\.groups:3: group 'a' ends with 1 of its 2 or more rows"),
        ("# contrast: a\nnone | A.\nnone | B.\n- C.\n", r"x\.groups:5: group 'a' ends with sentences before no row"),
        ("# contrast: a\n+ It rains.\n", r"x\.groups:2: .*stands below the row"),
        ("# contrast: a\nnone | A.\nnone | B.\n\n# contrast: a\n", r"x\.groups:5: group 'a' stands twice"),
        ("# contrast: a\nsure | It rains.\n", "found 'sure'"),
        ("# contrast: a\nIt rains.\n", "found 'It rains.'"),
        ("# contrast: a\nnone | \n", r"x\.groups:2: the sentence is empty"),
        ("# contrast: a\nnone | {c:said}\n", "'none' carries no marks"),
        ("# contrast: a\nnone | {c:said\n", "never closed"),
        ("## only a comment\n", "no rows"),
    ],
)
def test_an_error_names_file_line_and_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OnrecordError, match=message):
        read_groups(write(tmp_path / "x.groups", text))


def test_a_missing_file_an_empty_folder_and_bytes_that_are_no_text_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="No such file"):
        read_groups(tmp_path / "missing.groups")
    with pytest.raises(OnrecordError, match=r"no \*\.groups files"):
        read_groups(tmp_path)
    (tmp_path / "x.groups").write_bytes(b"# contrast: \xff")
    with pytest.raises(OnrecordError, match="not UTF-8 at byte 12"):
        read_groups(tmp_path)

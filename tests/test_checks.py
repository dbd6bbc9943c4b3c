"""Checking labelled files as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from onrecord.data.checks import check_data

MARKED = "# id: {}\nnone | It rained.\nattributed | {{s:Ana}} {{c:said}} so.\n"
CSV = "doc,text,label\n{},It rained.,none\n{},Ana said so.,attributed\n"


def save(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def errors(*paths: Path) -> list[str]:
    return [error.replace(f"{paths[0].parent}/", "") for error in check_data(paths).errors]


def test_sound_files_have_no_errors(tmp_path: Path) -> None:
    findings = check_data(
        [save(tmp_path / "a.txt", MARKED.format("a")), save(tmp_path / "b.csv", CSV.format("b", "c"))]
    )
    assert findings.errors == ()
    assert findings.n_files == 2
    assert [len(article.judged) for article in findings.articles] == [2, 1, 1]


def test_all_errors_of_all_files_are_told(tmp_path: Path) -> None:
    marked = save(tmp_path / "a.txt", MARKED.format("a") + "rumour | So they say.\nnone | {c:said}\n")
    rows = save(tmp_path / "b.csv", CSV.format("b", "c") + "d,,none\ne,It snowed.,maybe\n")
    assert [error.split(": ")[0] for error in errors(marked, rows)] == ["a.txt:4", "a.txt:5", "b.csv:4", "b.csv:5"]


def test_a_folder_stands_for_its_marked_files(tmp_path: Path) -> None:
    save(tmp_path / "a.txt", MARKED.format("a"))
    save(tmp_path / "b.txt", MARKED.format("b") + "oops\n")
    findings = check_data([tmp_path, tmp_path / "a.txt"])
    assert (findings.n_files, len(findings.errors)) == (2, 1)


def test_an_article_in_two_marked_files_is_told_once(tmp_path: Path) -> None:
    a, b = (save(tmp_path / f"{name}.txt", MARKED.format("same")) for name in "ab")
    (error,) = errors(a, b)
    assert error.startswith("b.txt: article 'same' stands in ")


def test_articles_that_stand_in_two_files_of_rows_are_counted(tmp_path: Path) -> None:
    train, test = save(tmp_path / "train.csv", CSV.format("x", "y")), save(tmp_path / "test.csv", CSV.format("y", "x"))
    (error,) = errors(train, test)
    assert error.startswith("test.csv: article 'x' and 1 more stand in ")


def test_rows_of_one_article_in_one_file_are_sound(tmp_path: Path) -> None:
    assert errors(save(tmp_path / "a.csv", CSV.format("x", "x"))) == []


def test_a_row_id_that_stands_twice_is_told(tmp_path: Path) -> None:
    a = save(tmp_path / "a.csv", "id,doc,text,label\n1,x,It rained.,none\n1,x,Ana said so.,attributed\n")
    b = save(tmp_path / "b.csv", "id,doc,text,label\n1,y,It snowed.,none\n")
    assert errors(a, b) == [
        "a.csv: id '1' stands twice; ids tell sentences apart",
        f"b.csv: id '1' stands in {a.name} too; ids tell sentences apart",
    ]


def test_data_of_one_class_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", "text,label\nIt rained.,none\nIt snowed.,none\n")
    assert errors(path) == ["a.csv: all 2 labelled sentences are 'none'; training needs two labels"]


def test_two_files_of_one_class_each_are_sound_together(tmp_path: Path) -> None:
    paths = [
        save(tmp_path / f"{label}.csv", f"text,label\nRain.,{label}\nSun.,{label}\n") for label in ("none", "anonymous")
    ]
    assert errors(*paths) == []


@pytest.mark.parametrize("name", ["nix.txt", "nix.csv", "nix.parquet", "nix"])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    assert errors(tmp_path / name) == [f"{name}: no such file or folder"]


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    assert errors(save(tmp_path / "a.docx", "")) == [
        "a.docx: labelled data is read from .txt (marked corpus), .jsonl, .csv, .parquet"
    ]


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert errors(tmp_path / "empty") == ["empty: no *.txt files in this folder"]

"""`onrecord data`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onrecord.cli.data import data_app, describe, import_data
from onrecord.data import corpus
from onrecord.data.corpus import bundled_corpus, read_corpus
from onrecord.data.records import OnrecordError
from onrecord.data.rows import read_rows
from typer.testing import CliRunner, Result

CSV = "doc,text,label\nx,It rained.,none\ny,Ana said so.,attributed\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data_app, [str(argument) for argument in arguments])


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "desk.csv").write_text(CSV, encoding="utf-8")
    return tmp_path / "desk.csv"


def test_the_bundled_corpus_passes_its_check() -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "")


def test_check_prints_every_error_and_exits_1(desk: Path) -> None:
    desk.write_text(CSV + "z,,none\nz,So they say.,rumour\n", encoding="utf-8")
    result = run("check", desk)
    assert result.exit_code == 1
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [f"{desk}:4", f"{desk}:5"]
    assert "1 files, 2 sound sentences, errors: 2" in result.stderr


def test_stats_lays_other_data_beside_the_corpus(desk: Path) -> None:
    result = run("stats", desk)
    assert result.exit_code == 0
    bundled, own = json.loads(result.stdout)["data"]
    assert (bundled["name"], own["name"]) == ("bundled corpus", "desk.csv")
    assert bundled["articles"] == len(read_corpus(bundled_corpus()))
    assert own["labels"]["none"] == {"count": 1, "share": 0.5}


def test_stats_are_written_as_a_table_and_as_markdown(desk: Path) -> None:
    assert [item["name"] for item in describe([desk])] == ["bundled corpus", "desk.csv"]
    markdown = run("stats", desk, "--format", "markdown").stdout
    assert markdown.startswith("|  | bundled corpus | desk.csv |\n| --- | ---: | ---: |\n| articles | ")
    assert "| none | " in markdown
    assert "sentences with evidence" in run("stats", desk, "--format", "table").stdout


def test_exported_rows_are_read_again(desk: Path, tmp_path: Path) -> None:
    assert run("export", desk, "-o", tmp_path / "rows.jsonl").exit_code == 0
    assert [a.sentences for a in read_rows(tmp_path / "rows.jsonl")] == [a.sentences for a in read_rows(desk)]
    assert run("export", desk).stdout == (tmp_path / "rows.jsonl").read_text(encoding="utf-8")


def test_context_of_exported_rows_has_the_length_asked_for(tmp_path: Path) -> None:
    marked = tmp_path / "a.txt"
    marked.write_text("# id: a\n" + "".join(f"none | Day {n}.\n" for n in range(9)), encoding="utf-8")
    rows = [json.loads(line) for line in run("export", marked, "--before", "2", "--after", "0").stdout.splitlines()]
    assert (rows[5]["before"], rows[5]["after"]) == (["Day 3.", "Day 4."], [])


def test_a_label_studio_export_is_imported_again(desk: Path, tmp_path: Path) -> None:
    assert run("export", desk, "--to", "label-studio", "-o", tmp_path / "tasks.json").exit_code == 0
    result = run("import", tmp_path / "tasks.json", "-o", tmp_path / "back.jsonl")
    assert (result.exit_code, result.stderr) == (0, "2 rows, 2 with a label\n")
    assert (tmp_path / "back.jsonl").read_text(encoding="utf-8") == run("export", desk).stdout


def test_brat_is_imported_as_rows_with_spans(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ana said so. It rained.", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tSource 0 3\tAna\nT2\tCue 4 8\tsaid\n", encoding="utf-8")
    result = run("import", tmp_path)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first["spans"] == [{"start": 0, "end": 3, "tag": "source"}, {"start": 4, "end": 8, "tag": "cue"}]
    assert ("label" in first, second["text"], second["spans"]) == (False, "It rained.", [])
    assert result.stderr == "2 rows, 0 with a label\n"


def test_a_map_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="--map is 'Named', expected THEIRS=OURS"):
        import_data(tmp_path / "a.json", rename=["Named"])


def test_nothing_is_written_where_an_import_fails(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[{}]", encoding="utf-8")
    result = run("import", tmp_path / "a.json", "-o", tmp_path / "rows.jsonl")
    assert isinstance(result.exception, OnrecordError)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_the_datasheet_has_the_figures_of_the_corpus() -> None:
    sheet = (Path(corpus.__file__).parent / "DATASHEET.md").read_text(encoding="utf-8")
    # To renew them, put the output of `onrecord data stats --format markdown` behind the mark.
    assert sheet.partition("<!-- figures -->\n")[2] == run("stats", "--format", "markdown").stdout

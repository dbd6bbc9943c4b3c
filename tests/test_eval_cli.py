import json
from pathlib import Path

import pytest
from onrecord.cli import app
from onrecord.cli.eval import corpus_notes
from onrecord.data.records import OnrecordError
from onrecord.data.rows import article_to_rows, write_jsonl
from typer.testing import CliRunner

from .conftest import toy_articles

run = CliRunner()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    found = [row for article in toy_articles() for row in article_to_rows(article)]
    for place, row in enumerate(found):
        row["sure"] = place % 3 != 0
    write_jsonl(path, found)
    return path


def test_evaluating_writes_every_file_and_prints_the_report(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = run.invoke(app, ["eval", str(rows), "--model", str(tiny_model), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        "errors.jsonl", "predictions.jsonl", "report.html", "report.json", "report.md",
    }  # fmt: skip
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["n_sentences"] == 48
    assert f"{report['macro_f1']['value']:.3f}" in result.stdout
    first = json.loads((out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {"id", "doc", "text", "label", "predicted", "probabilities", "evidence"} <= first.keys()


def test_the_gate_exits_4_below_its_figure_and_0_at_it(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    call = ["eval", str(rows), "--model", str(tiny_model), "-o", str(tmp_path / "r")]
    assert run.invoke(app, [*call, "--fail-under", "0"]).exit_code == 0
    path = rows.with_name("wrong.jsonl")
    wrong = [json.loads(line) | {"label": "none"} for line in rows.read_text(encoding="utf-8").splitlines()]
    write_jsonl(path, wrong)
    call[1] = str(path)
    result = run.invoke(app, [*call, "--fail-under", "0.9"])
    assert result.exit_code == 4
    assert "below --fail-under 0.9" in result.stderr


@pytest.mark.parametrize(("split", "said"), [("test", "it never saw these"), ("all", "learned from these very")])
def test_figures_on_the_bundled_corpus_say_that_it_is_no_real_news(split: str, said: str) -> None:
    (note,) = corpus_notes(split)
    assert "better here than on real news" in note
    assert said in note


def test_rows_without_an_article_context_and_spans_are_named_in_the_report(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text('text,label\n"Aides said <b>so</b>.",anonymous\nThe bridge closed.,none\n', encoding="utf-8")
    result = run.invoke(app, ["eval", str(path), "--model", str(tiny_model), "-o", str(tmp_path / "r")])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    assert report["n_rows_without_doc"] == 2
    assert "2 of 2 rows name no article" in report["cautions"][0]
    assert "Evidence of 2 of 2 sentences: their gold spans are unknown." in report["not_computed"]


def test_only_keeps_the_rows_whose_field_has_the_value(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    run.invoke(app, ["eval", str(rows), "--model", str(tiny_model), "-o", str(out), "--only", "sure=True"])
    assert json.loads((out / "report.json").read_text())["n_sentences"] == 32


def test_calibrating_writes_the_numbers_and_says_so(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    result = run.invoke(app, ["eval", str(rows), "--model", str(tiny_model), "-o", str(out), "--calibrate", "priors"])
    assert result.exit_code == 0, result.output
    found = json.loads((out / "calibration.json").read_text())
    assert found["temperature"] > 0
    assert len(found["bias"]) == 4
    assert "rows.jsonl, SHA-256" in found["fitted_on"]
    assert "cross-fitted" in (out / "report.md").read_text()
    suggested = json.loads((out / "report.json").read_text())["abstention"]["suggested"]
    assert found["min_confidence"] == (round(suggested["threshold"], 2) if suggested else 0)


def test_calibrating_on_one_article_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "It rained.", "doc": "a", "label": "none"}\n')
    call = ["eval", str(file), "--model", str(tiny_model), "-o", str(tmp_path / "r"), "--calibrate", "priors"]
    assert "two articles or more" in str(run.invoke(app, call).exception)


def test_less_context_is_given_on_request(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    run.invoke(app, ["eval", str(rows), "--model", str(tiny_model), "-o", str(out), "--context", "0"])
    found = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert len(found) == 48
    assert all(row.get("before") in (None, []) for row in found)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["missing.jsonl"], "missing.jsonl: no such file"),
        (["{rows}", "--model", "{tmp}"], "is no model folder"),
        (["{rows}", "--only", "sure"], "expected FIELD=VALUE"),
        (["{rows}", "--only", "sure=maybe"], "nothing to evaluate"),
        (["{rows}", "{rows}"], "stands twice"),
        (["{rows}", "--baseline", "x"], "expected NAME=FILE"),
        (["{tmp}/a.pdf"], "no such file"),
    ],
)
def test_a_users_mistake_ends_in_one_clear_line(
    call: list[str], said: str, rows: Path, tiny_model: Path, tmp_path: Path
) -> None:
    filled = [part.format(rows=rows, tmp=tmp_path) for part in call]
    if "--model" not in filled:
        filled += ["--model", str(tiny_model)]
    result = run.invoke(app, ["eval", *filled, "-o", str(tmp_path / "out")])
    assert isinstance(result.exception, OnrecordError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_run_that_fails_leaves_the_report_before_it_whole(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = ["eval", str(rows), "--model", str(tiny_model), "-o", str(out)]
    assert run.invoke(app, call).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run.invoke(app, [*call, "--only", "sure=True", "--baseline", "x=missing.jsonl"]).exit_code == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_predictions_that_are_read_are_not_written_over(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    file = rows.rename(tmp_path / "predictions.jsonl")
    result = run.invoke(app, ["eval", str(file), "--model", str(tiny_model), "-o", str(tmp_path)])
    assert isinstance(result.exception, OnrecordError)
    assert "would be overwritten" in str(result.exception)


def test_two_model_folders_are_compared_on_one_file(rows: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "comparison"
    result = run.invoke(app, ["compare", str(tiny_model), str(tiny_model), "--data", str(rows), "-o", str(out)])
    assert result.exit_code == 0, result.output
    found = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert not found["worse"]
    assert (out / "flips.jsonl").read_text() == ""
    assert (out / "a" / "report.html").exists()


def test_label_names_of_ones_own_are_mapped(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.csv"
    file.write_text("text,label\nThe mayor said no.,Named\nAides said no.,Unnamed\n")
    call = ["eval", str(file), "--model", str(tiny_model), "-o", str(tmp_path / "r"), "--map", "Named=attributed"]
    result = run.invoke(app, call)
    assert isinstance(result.exception, OnrecordError)
    assert "Unnamed" in str(result.exception)
    assert run.invoke(app, [*call, "--map", "Unnamed=anonymous"]).exit_code == 0
    found = json.loads((tmp_path / "r" / "report.json").read_text())
    assert found["per_label"]["anonymous"]["support"] == 1

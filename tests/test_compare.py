from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from onrecord.cli.compare import compare_cli
from onrecord.data.records import OnrecordError
from onrecord.eval.compare import compare, compare_files
from onrecord.eval.predictions import Prediction, write_predictions
from onrecord.eval.report import STAMP, evaluate
from typer.testing import CliRunner

from .browser import chromium
from .eval_rows import many_rows, rows_of
from .test_report import Page, look_up

A, B = {"name": "old", "sha256": "aa" * 32}, {"name": "new", "sha256": "bb" * 32}


def compared(a: list[Prediction], b: list[Prediction], out: Path, **options: Any) -> dict[str, Any]:
    return compare(a, b, out=out, model_a=A, model_b=B, **options)


def test_differences_and_flips_of_a_worked_example(tmp_path: Path) -> None:
    result = compared(rows_of("aa oa un nn"), rows_of("aa oo un na"), tmp_path)
    # A: attributed 2/3, anonymous 0, unverified 0, none 2/3. B: 2/3, 1, 0, 0.
    assert result["overall"]["macro_f1"]["a"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["overall"]["macro_f1"]["difference"]["value"] == pytest.approx(5 / 12 - 1 / 3, abs=1e-6)
    assert result["overall"]["harmful_rate"]["difference"]["value"] == -1
    assert result["per_label"]["anonymous"]["f1"]["difference"]["value"] == 1
    assert result["flips"] == {
        "n": 2,
        "n_mended": 1,
        "n_broken": 1,
        "n_still_wrong": 0,
        "n_shown": 2,
        "n_left_out": 0,
    }
    flips = {flip["id"]: flip for flip in map(json.loads, (tmp_path / "flips.jsonl").read_text().splitlines())}
    assert flips["r1"]["change"] == "mended"
    assert flips["r3"]["change"] == "broken"
    assert flips["r3"]["b"] == {"model": B, "predicted": "attributed", "confidence": 0.7}


@pytest.mark.parametrize(
    ("b", "max_drop", "worse", "verdict"),
    [
        ("aa oo uu nn " * 25, 0.0, False, "No difference that this file can show"),
        ("aa oo un nn " * 25, 0.01, True, "B is worse than allowed"),
        ("aa oo un nn " * 25, 0.5, False, "B is worse, but no more than allowed"),
    ],
)
def test_b_is_worse_where_it_loses_more_than_is_allowed(
    tmp_path: Path, b: str, max_drop: float, worse: bool, verdict: str
) -> None:
    result = compared(rows_of("aa oo uu nn " * 25), rows_of(b), tmp_path, max_drop=max_drop)
    assert result["worse"] is worse
    assert result["verdict"].startswith(verdict)


def test_words_say_what_the_harmful_error_does_and_whether_it_may_be_chance(tmp_path: Path) -> None:
    right, wrong = "aa oo uu nn " * 40, "aa oa uu nn " * 40
    said = compared(rows_of(right), rows_of(wrong), tmp_path)
    assert said["verdict"].endswith("hardly by chance.")
    assert said["sentences"][0].endswith(
        "anonymous called attributed, rises from 0 to 40 of 40 sentences; hardly by chance."
    )
    assert "Worse in F1, hardly by chance: attributed -33.3 points" in " ".join(said["sentences"])
    same = compared(rows_of(right), rows_of(right[:-3] + "na"), tmp_path)
    assert "it may be chance" in same["verdict"]
    assert "stays at 0 of 40 sentences." in same["sentences"][0]
    page = Page(tmp_path / "compare.html").text
    assert all(line in page for line in same["sentences"])


def test_what_a_small_file_cannot_tell_is_said(tmp_path: Path) -> None:
    few = " ".join(compared(rows_of("aa oo nn"), rows_of("aa oa nn"), tmp_path)["sentences"])
    assert "rises from 0 to 1 of 1 sentences; too few to judge by" in few
    assert "attributed (1), anonymous (1), none (1)" in few
    assert "Not in the file, and in no mean: unverified." in few
    assert "Intervals from 2 articles are rough" in few
    assert (tmp_path / "compare.html").read_text().count("too few</span>") == 3
    lone = compared(rows_of("nn", doc=None), rows_of("na", doc=None), tmp_path)
    assert "one article cannot tell" in lone["verdict"]
    assert "No anonymous sentence is in the file" in lone["sentences"][0]
    assert "1 of 1 rows name no article" in " ".join(lone["sentences"])


def test_a_drop_of_exactly_what_is_allowed_passes(tmp_path: Path) -> None:
    # One label; of ten right B gets nine: F1 falls from 1 to 18/19.
    a, b = rows_of("nn " * 10), rows_of("nn " * 9 + "na")
    drop = 1 - 18 / 19
    assert not compared(a, b, tmp_path, max_drop=round(drop, 6))["worse"]
    assert compared(a, b, tmp_path, max_drop=drop - 0.001)["worse"]


def test_a_model_against_itself_shows_no_difference(tmp_path: Path) -> None:
    result = compared(many_rows(200), many_rows(200)[::-1], tmp_path)
    assert result["overall"]["macro_f1"]["difference"] == {"value": 0, "ci95": [0, 0]}
    assert result["flips"]["n"] == 0
    assert not result["worse"]


def test_a_label_that_is_missing_is_null(tmp_path: Path) -> None:
    result = compared(rows_of("aa nn nn aa"), rows_of("aa na nn aa"), tmp_path)
    assert result["per_label"]["anonymous"] is None
    assert result["overall"]["harmful_rate"]["difference"] == {"value": None, "ci95": None}


def test_other_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="new: 1 rows against 2"):
        compared(rows_of("aa nn"), rows_of("aa"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_number_of_the_page_is_the_one_in_the_json(tmp_path: Path) -> None:
    rows = many_rows(400)
    result = compared(rows, [replace(one, predicted="none") for one in rows], tmp_path, development=True)
    page = Page(tmp_path / "compare.html")
    assert len(page.numbers) > 100
    for pointer, shown in page.numbers:
        assert float(shown) == pytest.approx(look_up(result, pointer), abs=0.00051), pointer
    for name in ("compare.html", "compare.md", "compare.json", "flips.jsonl"):
        assert STAMP in (tmp_path / name).read_text()
        assert A["sha256"] in (tmp_path / name).read_text()
        assert B["sha256"] in (tmp_path / name).read_text()


def report_folder(folder: Path, rows: list[Prediction], **options: Any) -> Path:
    write_predictions(folder / "predictions.jsonl", rows)
    evaluate(rows, out=folder, data_sha256="cd" * 32, **options)
    return folder


def test_report_folders_are_compared_under_their_models_names(tmp_path: Path) -> None:
    a = report_folder(tmp_path / "a", rows_of("aa oo nn"), model=A, development=True)
    b = report_folder(tmp_path / "b", rows_of("aa oa nn"), model=B)
    result = compare_files(a, b, out=tmp_path / "out")
    assert (result["a"], result["b"], result["stamp"]) == (A, B, STAMP)
    assert result["data"]["sha256"] == "cd" * 32


def test_predictions_files_without_a_report_are_named_by_their_path_and_hash(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_predictions(tmp_path / name, rows_of("aa oo nn"))
    result = compare_files(tmp_path / "a.jsonl", tmp_path / "b.jsonl", out=tmp_path / "out")
    assert result["a"]["name"].endswith("a.jsonl")
    assert result["a"]["sha256"] is None
    assert len(result["a"]["predictions_sha256"]) == 64
    assert "model unknown" in (tmp_path / "out" / "compare.html").read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": 3}'])
def test_a_broken_report_is_named(tmp_path: Path, content: str) -> None:
    write_predictions(tmp_path / "predictions.jsonl", rows_of("aa oo nn"))
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(OnrecordError, match=r"report\.json: not a report"):
        compare_files(tmp_path, tmp_path, out=tmp_path / "out")


@pytest.fixture
def app() -> typer.Typer:
    """The command alone."""
    app = typer.Typer()
    app.command()(compare_cli)
    return app


def test_the_command_writes_json_into_a_pipe_and_exits_with_4_where_b_is_worse(
    tmp_path: Path, app: typer.Typer
) -> None:
    a = report_folder(tmp_path / "a", rows_of("aa oo nn " * 9), model=A)
    b = report_folder(tmp_path / "b", rows_of("aa oa nn " * 9), model=B)
    arguments = ["--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [str(b), str(a), *arguments])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["worse"] is False
    failed = CliRunner().invoke(app, [str(a), str(b), *arguments])
    assert failed.exit_code == 4
    assert json.loads(failed.stdout)["worse"] is True
    assert "B is worse than allowed" in failed.stderr
    assert CliRunner().invoke(app, [str(a), str(b), *arguments, "--max-drop", "0.9"]).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "compare.html",
        "compare.json",
        "compare.md",
        "flips.jsonl",
    ]


@pytest.mark.parametrize("arguments", [[], ["only-one"], ["a", "b", "--max-drop", "2"]])
def test_wrong_usage_exits_with_2(app: typer.Typer, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_flips_can_be_filtered_in_a_browser(tmp_path: Path) -> None:
    rows = many_rows(300)
    compared(rows, [replace(one, predicted="none") for one in rows], tmp_path)
    with chromium(390) as browser:
        browser.get((tmp_path / "compare.html").as_uri())
        kinds = browser.execute_script(
            "const f = document.querySelector('#filter'); f.value = 'broken'; f.dispatchEvent(new Event('change'));"
            "return [...document.querySelectorAll('#sentences > .error')].filter(e => e.offsetParent !== null)"
            ".map(e => e.dataset.kind)"
        )
        assert len(kinds) == json.loads((tmp_path / "compare.json").read_text())["flips"]["n_broken"]
        assert all(kind.startswith("broken: ") for kind in kinds)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from onrecord.data.records import OnrecordError
from onrecord.eval.card import model_card, write_card
from onrecord.eval.report import STAMP, evaluate

from .eval_rows import many_rows, rows_of

MODEL = {"name": 'toy: "one" #1', "sha256": "ab" * 32}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("reports")
    rows = many_rows(400)
    baselines = {"always none": [replace(row, predicted="none") for row in rows]}
    one = evaluate(
        rows, out=out / "1", data_sha256="cd" * 32, model=MODEL, data_name="test: split", baselines=baselines
    )
    two = evaluate(rows_of("aa nn na"), out=out / "2", data_sha256="ef" * 32, model=MODEL, development=True)
    return [one, two]


def test_the_front_matter_is_a_model_index_with_the_reports_figures(reports: list[dict[str, Any]]) -> None:
    yaml = pytest.importorskip("yaml")
    head = yaml.safe_load(model_card(reports, base_model="some/encoder").split("---\n")[1])
    assert (head["license"], head["language"], head["base_model"]) == ("apache-2.0", "en", "some/encoder")
    (index,) = head["model-index"]
    assert index["name"] == MODEL["name"]
    first, second = index["results"]
    assert first["dataset"]["name"] == "test: split"
    metrics = {metric["name"]: metric["value"] for metric in first["metrics"]}
    assert metrics["Macro F1"] == pytest.approx(reports[0]["macro_f1"]["value"], abs=5e-5)
    assert metrics["Anonymous called attributed"] == pytest.approx(reports[0]["harmful"]["rate"]["value"], abs=5e-5)
    assert STAMP in second["dataset"]["name"]
    assert "Anonymous called attributed" not in {metric["name"] for metric in second["metrics"]}


def test_a_model_hub_reads_the_card(reports: list[dict[str, Any]]) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(model_card(reports))
    assert {result.metric_type for result in card.data.eval_results} >= {"f1", "accuracy"}
    assert card.data.model_name == MODEL["name"]


def test_the_card_says_what_it_is_not_and_stamps_development_figures(reports: list[dict[str, Any]]) -> None:
    card = model_card(reports, training={"epochs": 5, "a | b": "c"}, more="## Learning curve\n\nMore helps.")
    assert "not whether the claim is true" in card
    assert f"> **{STAMP}**" in card
    assert MODEL["sha256"] in card
    assert "| epochs | 5 |" in card
    assert "a \\| b" in card
    assert "| unverified | – | – | – | not in the file |" in card
    assert card.rstrip().endswith("More helps.")


def test_a_card_is_written_into_the_model_folder(reports: list[dict[str, Any]], tmp_path: Path) -> None:
    write_card(tmp_path, reports)
    assert (tmp_path / "README.md").read_text() == model_card(reports)


def test_no_reports_and_reports_of_two_models_are_refused(reports: list[dict[str, Any]]) -> None:
    with pytest.raises(OnrecordError, match="found none"):
        model_card([])
    other = reports[0] | {"model": {"name": "other", "sha256": "00" * 32}}
    with pytest.raises(OnrecordError, match=r"other \(000000000000\)"):
        model_card([*reports, other])

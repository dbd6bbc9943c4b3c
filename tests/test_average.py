"""The mean of runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import toy_articles
from .eval_rows import many_rows

pytest.importorskip("torch")
from onrecord.data.records import OnrecordError
from onrecord.eval.card import write_card_of
from onrecord.eval.report import evaluate
from onrecord.model.scorer import Model, judge_labelled
from onrecord.train.average import average
from safetensors.torch import load_file, save_file


def shifted(run: Path, to: Path, by: float) -> Path:
    """Copy a run with all weights moved by a number."""
    shutil.copytree(run, to)
    weights = load_file(to / "model.safetensors")
    save_file({name: value + by for name, value in weights.items()}, to / "model.safetensors")
    return to


def test_the_mean_of_two_runs_has_the_mean_of_their_weights_and_both_records(tiny_model: Path, tmp_path: Path) -> None:
    runs = [shifted(tiny_model, tmp_path / "a", 0.5), shifted(tiny_model, tmp_path / "b", -0.5)]
    out = average(runs, toy_articles(4), tmp_path / "mean")
    weights, exact = load_file(out / "model.safetensors"), load_file(tiny_model / "model.safetensors")
    assert weights.keys() == exact.keys()
    for name, value in exact.items():
        assert float((weights[name] - value).abs().max()) < 1e-6, name
    found = [item.log_probabilities.argmax() for item in judge_labelled(Model(out), toy_articles(4))]
    assert found == [item.log_probabilities.argmax() for item in judge_labelled(Model(tiny_model), toy_articles(4))]
    record = json.loads((out / "training.json").read_text())
    assert len(record["averaged"]) == 2
    assert record["validation_macro_f1"] == 1
    evaluate(many_rows(100), out=tmp_path / "report", data_sha256="cd" * 32, model={"name": "toy", "sha256": "ab" * 32})
    write_card_of(out, [tmp_path / "report"])
    assert "the mean of 2 runs" in (out / "README.md").read_text()


def test_runs_that_do_not_fit_together_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="two runs"):
        average([tiny_model], toy_articles(4), tmp_path / "mean")
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    config = json.loads((other / "config.json").read_text())
    config["windows"]["tokens"] -= 1
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(OnrecordError, match="differs"):
        average([tiny_model, other], toy_articles(4), tmp_path / "mean")
    assert not (tmp_path / "mean").exists()

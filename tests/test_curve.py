"""The learning curve: its parts, its points, and where the card shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onrecord.eval.card import write_card_of
from onrecord.eval.report import evaluate

from .conftest import toy_articles
from .eval_rows import many_rows


def test_a_larger_part_holds_the_smaller_and_seeds_differ() -> None:
    pytest.importorskip("torch")
    from onrecord.train.curve import part_of

    articles = toy_articles(40)
    quarter, half, whole = (part_of(articles, share, 1) for share in (0.25, 0.5, 1.0))
    assert (len(quarter), len(half), len(whole)) == (10, 20, 40)
    assert {one.doc for one in quarter} < {one.doc for one in half}
    assert {one.doc for one in quarter} != {one.doc for one in part_of(articles, 0.25, 2)}


def test_points_are_written_as_they_come_and_not_trained_again(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from onrecord.model.windows import WindowConfig
    from onrecord.train import curve
    from onrecord.train.config import TrainConfig

    tiny = TrainConfig(
        encoder=str(tiny_encoder), epochs=1, batch_tokens=128, bf16=False, device="cpu", windows=WindowConfig(tokens=64)
    )
    monkeypatch.setattr(curve, "SHARES", (0.5,))
    articles = toy_articles(40)
    told: list[str] = []
    for _ in range(2):
        held_out = {"held out": articles[30:]}
        curve.draw_curve(tmp_path, articles[:20], articles[20:30], held_out, data={}, config=tiny, tell=told.append)
        assert len(told) == 2  # the second time nothing
    found = json.loads((tmp_path / "curve.json").read_text())
    assert [(point["share"], point["seed"]) for point in found["points"]] == [(0.5, 13), (0.5, 14)]
    assert all(0 <= point["macro_f1"]["held out"] <= 1 for point in found["points"])
    assert "sentences of training" in (tmp_path / "curve.svg").read_text()


def test_the_card_shows_a_curve_that_lies_in_the_folder(tmp_path: Path) -> None:
    evaluate(many_rows(100), out=tmp_path / "report", data_sha256="cd" * 32, model={"name": "toy", "sha256": "ab" * 32})
    record = {
        "config": {"epochs": 1, "learning_rate": 0.1, "seed": 1, "encoder": "some/encoder"},
        "sentences": 10, "best_epoch": 1, "hardware": "none", "seconds": 60,
    }  # fmt: skip
    (tmp_path / "training.json").write_text(json.dumps(record))
    points = [{"share": share, "seed": 13, "sentences": 10, "macro_f1": {"held out": share}} for share in (1.0, 0.5)]
    write_card_of(tmp_path, [tmp_path / "report"])
    assert "curve" not in (tmp_path / "README.md").read_text()
    (tmp_path / "curve.json").write_text(json.dumps({"epochs": 2, "points": points}))
    write_card_of(tmp_path, [tmp_path / "report"])
    card = (tmp_path / "README.md").read_text()
    assert "![learning curve](curve.svg)" in card
    assert card.rstrip().endswith("| 0.5 | 13 | 10 | 0.500 |\n| 1 | 13 | 10 | 1.000 |")

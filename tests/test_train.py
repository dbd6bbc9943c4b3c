import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import toy_articles

pytest.importorskip("torch")
from onrecord.data.records import OnrecordError
from onrecord.model.windows import WindowConfig
from onrecord.train.base import find_encoder
from onrecord.train.config import TrainConfig
from onrecord.train.examples import IGNORE, cut, encode, token_targets
from onrecord.train.run import Progress, load_tokenizer, train
from safetensors.numpy import load_file


def small(encoder: Path, **changes: object) -> TrainConfig:
    values = {
        "encoder": str(encoder), "epochs": 3, "learning_rate": 1e-3, "batch_tokens": 128, "device": "cpu",
        "bf16": False, "patience": 9, "windows": WindowConfig(tokens=64),
    }  # fmt: skip
    return TrainConfig(**(values | changes))  # type: ignore[arg-type]


def test_targets_of_a_sentence_by_hand(tiny_encoder: Path) -> None:
    tokenizer, _ = load_tokenizer(tiny_encoder)
    (found,) = encode([toy_articles(1)[0]], tokenizer)
    # The mayor said the bridge was safe .
    assert found.bio[0] == (1, 2, 3, 0, 0, 0, 0, 0)
    assert found.kinds[0] == (0, 0, *(IGNORE,) * 6)
    assert found.labels == (0, 1, 2, 3)


def test_unknown_spans_teach_nothing(tiny_encoder: Path) -> None:
    tokenizer, _ = load_tokenizer(tiny_encoder)
    (found,) = encode([toy_articles(1)[0]], tokenizer)
    bio, kinds = token_targets(found.tokens[0], None)
    assert set(bio) == set(kinds) == {IGNORE}


def test_cuts_show_every_sentence_once_an_epoch_and_alone_now_and_then(tiny_encoder: Path) -> None:
    import random

    tokenizer, special = load_tokenizer(tiny_encoder)
    (found,) = encode([toy_articles(1)[0]], tokenizer)
    sizes, contexts = set(), set()
    for seed in range(40):
        examples = cut(found, tokens=64, special=special, chance=random.Random(seed))
        assert sum((example.labels for example in examples), ()) == (0, 1, 2, 3)
        learnt = [tag for example in examples for tag in example.bio if tag != IGNORE]
        assert learnt == [tag for tags in found.bio for tag in tags]
        sizes |= {len(example.labels) for example in examples}
        contexts |= {example.pack.ids.count(special.sep) - len(example.labels) for example in examples}
        assert all(len(example.pack.ids) == len(example.bio) == len(example.kinds) <= 64 for example in examples)
    assert {1, 4} <= sizes
    assert {0, 1} <= contexts


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tiny_encoder: Path, tmp_path: Path) -> None:
    def history(name: str, seed: int) -> list[float]:
        train(toy_articles(), toy_articles(4), small(tiny_encoder, seed=seed), tmp_path / name)
        record = json.loads((tmp_path / name / "training.json").read_text())
        return [epoch["loss"] for epoch in record["history"]]

    first = history("a", 1)
    assert first == history("b", 1)
    assert first != history("c", 2)


def _losses(folder: Path) -> list[float]:
    return [json.loads(line)["train_loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_stopped_behind_its_last_epoch_does_not_train_on(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(tiny_encoder, epochs=30, learning_rate=1e-6, patience=2)
    train(toy_articles(), toy_articles(4), config, tmp_path / "whole")

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("onrecord.train.run.fit", kill)
        with pytest.raises(KeyboardInterrupt):
            train(toy_articles(), toy_articles(4), config, tmp_path / "killed")
    train(toy_articles(), toy_articles(4), config, tmp_path / "killed", resume=True)
    assert _losses(tmp_path / "whole") == _losses(tmp_path / "killed")


def test_a_killed_and_resumed_run_ends_with_the_same_weights(tiny_encoder: Path, tmp_path: Path) -> None:
    config = small(tiny_encoder, dropout=0.2)
    train(toy_articles(), toy_articles(4), config, tmp_path / "whole")

    def kill(progress: Progress) -> None:
        if (progress.epoch, progress.step) == (3, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_articles(), toy_articles(4), config, tmp_path / "killed", tell=kill)
    train(toy_articles(), toy_articles(4), config, tmp_path / "killed", resume=True)
    assert _losses(tmp_path / "whole") == _losses(tmp_path / "killed")
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "killed"))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("epochs", "articles", "said"), [(4, 12, "another configuration"), (3, 13, "other data")])
def test_resuming_another_run_is_refused(
    tiny_encoder: Path, tmp_path: Path, epochs: int, articles: int, said: str
) -> None:
    def kill(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_articles(), toy_articles(4), small(tiny_encoder), tmp_path / "m", tell=kill)
    config = small(tiny_encoder, epochs=epochs)
    with pytest.raises(OnrecordError, match=said):
        train(toy_articles(articles), toy_articles(4), config, tmp_path / "m", resume=True)


def test_training_stops_early_and_keeps_the_best_epoch(tiny_encoder: Path, tmp_path: Path) -> None:
    config = small(tiny_encoder, epochs=30, learning_rate=1e-6, patience=2)
    train(toy_articles(), toy_articles(4), config, tmp_path / "m")
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    figures = [epoch["macro_f1"] for epoch in record["history"]]
    assert len(figures) < 30
    assert record["validation_macro_f1"] == max(figures)
    best = max(record["history"], key=lambda line: (line["macro_f1"], -line["loss"]))  # of equal ones the surest
    assert record["best_epoch"] == best["epoch"]
    assert len(figures) == figures.index(max(figures)) + 1 + 2


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="neither a folder nor a hub id"):
        find_encoder(str(tmp_path / "none"))
    with pytest.raises(OnrecordError, match=r"needs config\.json"):
        find_encoder(str(tmp_path))


def test_weights_with_a_wrong_checksum_are_refused(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("onrecord.train.base", fromlist=["KNOWN"]).KNOWN, str(tiny_encoder), "0" * 64)
    with pytest.raises(OnrecordError, match="SHA-256"):
        find_encoder(str(tiny_encoder))


def test_an_unreachable_hub_says_what_to_do() -> None:
    with pytest.raises(OnrecordError, match="give its folder"):
        find_encoder("nobody/nothing")

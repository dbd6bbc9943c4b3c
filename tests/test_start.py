"""Starting from a model folder: its fp32 weights, or the 8-bit ones of its scorer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from .conftest import toy_articles
from .test_train import small

pytest.importorskip("torch")
import torch
from onrecord.data.corpus import bundled_corpus, read_corpus
from onrecord.data.records import Article, OnrecordError
from onrecord.data.splits import split_articles
from onrecord.model.folder import bundled_model, load_settings
from onrecord.model.network import torch_backend
from onrecord.model.restore import load_network
from onrecord.model.scorer import Model, judge_labelled
from onrecord.model.windows import WindowConfig
from onrecord.train.config import TrainConfig
from onrecord.train.run import judge_articles, load_start, train
from tokenizers import Tokenizer


def without_fp32(model: Path, to: Path) -> Path:
    """Copy a model folder as the bundled one is: without its fp32 weights."""
    shutil.copytree(model, to, ignore=shutil.ignore_patterns("model.safetensors", "checkpoint"))
    return to


def agreement(folder: Path, articles: list[Article]) -> float:
    """Return the share of sentences that the int8 scorer and the network built from it label alike."""
    model = Model(folder)
    scored = judge_labelled(model, articles)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend = torch_backend(load_network(folder), model.config.special.pad)
    judged = judge_articles(articles, tokenizer, backend, model.config.windows, model.config.special)
    same = [a.log_probabilities.argmax() == b.log_probabilities.argmax() for a, b in zip(scored, judged, strict=True)]
    return float(np.mean(same))


def test_int8_weights_give_back_a_network_that_agrees_with_the_scorer(tiny_model: Path, tmp_path: Path) -> None:
    folder = without_fp32(tiny_model, tmp_path / "m")
    assert agreement(folder, toy_articles()) >= 0.985
    exact, back = load_network(tiny_model).state_dict(), load_network(folder).state_dict()
    assert exact.keys() == back.keys()
    for name, value in exact.items():  # 8 bits: half a step of 1/127 of the largest in a column, at most
        assert float((value - back[name]).abs().max()) <= float(value.abs().max()) / 253, name


@pytest.mark.slow
@pytest.mark.skipif(not (bundled_model() / "model.onnx").is_file(), reason="no bundled model in this tree")
def test_the_bundled_model_gives_back_a_network_that_agrees_with_it() -> None:
    assert agreement(bundled_model(), split_articles(read_corpus(bundled_corpus()))["test"][:60]) >= 0.985


@pytest.mark.parametrize("fp32", [True, False])
def test_a_run_from_a_model_goes_on_where_it_stood(tiny_model: Path, tmp_path: Path, fp32: bool) -> None:
    folder = tiny_model if fp32 else without_fp32(tiny_model, tmp_path / "m")
    config = TrainConfig(start=str(folder), epochs=1, learning_rate=1e-6, device="cpu", bf16=False)
    train(toy_articles(), toy_articles(), config, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["validation_macro_f1"] == 1
    settings, _ = load_settings(tmp_path / "out")
    assert settings.windows == WindowConfig(tokens=64)
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (tiny_model / "tokenizer.json").read_bytes()


def test_windows_other_than_the_models_are_refused(tiny_model: Path) -> None:
    with pytest.raises(OnrecordError, match="brings its own"):
        load_start(TrainConfig(start=str(tiny_model), windows=WindowConfig(tokens=96)))


def test_an_encoder_beside_a_model_is_refused(tiny_encoder: Path) -> None:
    with pytest.raises(ValueError, match=r"encoder is .* none beside 'start'"):
        small(tiny_encoder, start="bundled")


def test_a_folder_without_weights_is_named(tiny_model: Path, tmp_path: Path) -> None:
    folder = without_fp32(tiny_model, tmp_path / "m")
    (folder / "model.onnx").unlink()
    with pytest.raises(OnrecordError, match=r"no model\.safetensors and no model\.onnx"):
        load_network(folder)
    with pytest.raises(OnrecordError, match="is no model folder"):
        load_network(tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors"])
def test_damaged_weights_are_named_in_one_line(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = without_fp32(tiny_model, tmp_path / "m")
    (folder / name).write_bytes((tiny_model / name).read_bytes()[:5000])
    with pytest.raises(OnrecordError, match=f"{name} is damaged") as caught:
        load_network(folder)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = without_fp32(tiny_model, tmp_path / "m")
    settings = json.loads((folder / "config.json").read_text())
    settings["encoder"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(OnrecordError, match=r"lacks 16 of the network's tensors, such as 'encoder\.encoder\.layer\.2"):
        load_network(folder)


def test_a_networks_state_is_that_of_its_file(tiny_model: Path) -> None:
    from safetensors.torch import load_file

    held = load_file(tiny_model / "model.safetensors")
    assert all(torch.equal(held[name], value) for name, value in load_network(tiny_model).state_dict().items())


@pytest.mark.parametrize("kind", ["bert", "mpnet", "electra", "distilbert"])
def test_every_weight_of_an_encoder_is_trained(kind: str) -> None:
    torch = pytest.importorskip("torch")
    from onrecord.model.network import build_network

    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    own = {"dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8} if kind == "distilbert" else small
    network = build_network({"model_type": kind, "vocab_size": 20, **own})
    labels, evidence = network(torch.tensor([[5, 6, 7]]), torch.ones(1, 3, dtype=torch.long), torch.ones(1, 1, 3) / 3)
    (labels.sum() + evidence.sum()).backward()
    # Several processes wait for the gradient of each: a pooler that nothing reads would stop them.
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []

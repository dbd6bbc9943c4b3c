"""`onrecord train`: its data, its folder, its errors, several processes, a full disk."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import toy_articles

pytest.importorskip("torch")
import torch
from onrecord import cli
from onrecord.cli.train import read_data
from onrecord.data.corpus import format_marked
from onrecord.data.records import OnrecordError
from onrecord.data.rows import article_to_rows, write_jsonl
from onrecord.model import load
from onrecord.train.config import DataSource, TrainConfig, read_config
from safetensors.numpy import load_file

CONFIG = """
name = "desk"
encoder = "{encoder}"
epochs = 2
learning_rate = 5e-3
batch_tokens = 128
dropout = 0.0
bf16 = false
device = "cpu"
[windows]
tokens = 64
"""


@pytest.fixture
def desk(tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a configuration, rows, and a marked corpus that stands for the bundled one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.toml").write_text(CONFIG.format(encoder=tiny_encoder), encoding="utf-8")
    articles = toy_articles(30)
    write_jsonl(tmp_path / "rows.jsonl", (row for article in articles for row in article_to_rows(article)))
    lines = []
    for article in articles:
        marked = (f"{s.label} | {format_marked(s.text, s.spans or ())}" for s in article.sentences)
        lines.append("\n".join([f"# id: corpus-{article.id}", *marked]))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "toy.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    for module in ("train", "inputs"):
        monkeypatch.setattr(f"onrecord.cli.{module}.bundled_corpus", lambda: tmp_path / "corpus")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["onrecord", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_a_model_folder_is_written_with_its_record(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "rows.jsonl", "--config", "desk.toml", "-o", "runs/a"]
    assert run(monkeypatch, *train) == 0
    out = desk / "runs/a"
    assert [path.name for path in out.iterdir() if path.suffix == ".partial" or path.is_dir()] == ["report"]
    assert "model-index:" in (out / "README.md").read_text(encoding="utf-8")
    record = json.loads((out / "training.json").read_text())
    assert record["config"]["data"] == [{"path": "rows.jsonl", "weight": 1.0, "labels": {}}]
    assert record["config"]["seed"] == 13
    assert len(record["data"]["rows.jsonl"]) == len(record["start"]["sha256"]) == 64
    assert {"python", "torch", "onnxruntime"} <= record["versions"].keys()
    assert record["seconds"] > 0
    assert record["hardware"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines if "macro_f1" in line] == [1, 2]
    assert {"epoch", "step", "train_loss", "learning_rate"} == lines[0].keys()
    assert (out / "training.svg").read_text().startswith("<?xml")
    assert load(out).score("The mayor said the bridge was safe.").model.name == "desk"
    assert run(monkeypatch, *train, "--resume") == 1
    assert "runs/a holds a finished model; leave out --resume" in capsys.readouterr().err


def test_a_run_killed_while_it_exports_is_resumed_without_training_again(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    train = ["train", "rows.jsonl", "--config", "desk.toml", "-o", "a"]
    with monkeypatch.context() as patch:
        patch.setattr("onrecord.train.build.export_onnx", kill)
        assert run(monkeypatch, *train) == 130
    before = (desk / "a" / "model.safetensors").read_bytes()
    capsys.readouterr()
    assert run(monkeypatch, *train, "--resume") == 0
    assert "epoch" not in capsys.readouterr().err
    assert (desk / "a" / "model.safetensors").read_bytes() == before
    assert not (desk / "a" / "checkpoint").exists()


def test_sources_are_mixed_with_weights_and_own_label_names(desk: Path) -> None:
    own = "text,label\n" + "Critics said no.,unnamed\nIt rained.,none\n" * 20
    (desk / "own.csv").write_text(own, encoding="utf-8")
    (desk / "c.toml").write_text(
        '[[data]]\nweight = 0.5\n[[data]]\npath = "own.csv"\nweight = 3\nlabels = { unnamed = "anonymous" }\n',
        encoding="utf-8",
    )
    config = read_config(desk / "c.toml")
    rows = DataSource(path="own.csv", weight=3, labels={"unnamed": "anonymous"})
    assert config.data == (DataSource(weight=0.5), rows)
    learn, choose, hashes = read_data(config)
    held = learn + choose
    assert {(article.id.startswith("corpus-"), article.weight) for article in held} == {(True, 0.5), (False, 3.0)}
    assert {article.sentences[0].label for article in held if article.doc.startswith("own")} == {"anonymous", "none"}
    assert set(hashes) == {"bundled/toy.txt", "own.csv"}


def test_own_validation_data_leaves_sources_whole_but_the_corpus_keeps_its_test_articles_back(desk: Path) -> None:
    (desk / "own.csv").write_text("text,label\n" + "It rained.,none\nWe said no.,attributed\n" * 20, encoding="utf-8")
    sources = (DataSource(), DataSource(path="own.csv"))
    learn, choose, hashes = read_data(TrainConfig(data=sources, validation="rows.jsonl"))
    assert len(choose) == 120
    assert sum(article.id.startswith("own.") for article in learn) == 40
    split, _, _ = read_data(TrainConfig())
    assert {a.id for a in learn if a.id.startswith("corpus-")} == {a.id for a in split}
    assert set(hashes) == {"bundled/toy.txt", "own.csv", "rows.jsonl"}


def test_a_run_from_a_model_goes_on_with_rows(
    desk: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "on.toml").write_text(f'start = "{desk}"\nepochs = 1\ndevice = "cpu"\nbf16 = false\n')
    arguments = ["rows.jsonl", "--config", "on.toml", "--from", str(tiny_model), "-o", "on"]
    assert run(monkeypatch, "train", *arguments) == 0
    record = json.loads((desk / "on" / "training.json").read_text())
    assert record["start"]["from"] == str(tiny_model)
    assert record["start"]["file"] == "model.safetensors"
    assert "model written to on" in capsys.readouterr().err


ERRORS = [
    ("empty.csv", "", [], "empty.csv:1: a CSV needs a column 'text'; its header has nothing"),
    ("empty.csv", "text,label\n", [], "empty.csv: no rows"),
    ("empty.jsonl", "", [], "empty.jsonl: no rows"),
    ("empty.txt", "", [], "empty.txt: no articles"),
    ("one.csv", "text,label\n" + "It rained.,none\n" * 30, [], "two labels or more, found: none"),
    ("bare.csv", "text\n" + "It rained.\n" * 30, [], "two labels or more, found: none at all"),
    ("few.csv", "id,text,label\na,It rained.,none\nb,We said no.,attributed\n", [], "give more data, or --validation"),
    ("swap.csv", "label,text\nIt rained.,none\nWe said no.,attributed\n", [], "'text' holds labels, such as 'none'"),
    ("own.csv", "text,label\nIt rained.,narration\n", [], 'own.csv:2: label is "narration", allowed are'),
    ("rows.jsonl", None, ["--device", "tpu"], "device is tpu, allowed are: auto, cpu, cuda, mps"),
    ("rows.jsonl", None, ["--device", "mps"], "device is mps, but torch"),
    ("rows.jsonl", None, ["--device", "cuda"], "device is cuda, but torch"),
    ("rows.jsonl", None, ["--from", "bundled"], "encoder is "),
    ("rows.jsonl", None, ["--validation", "./rows.jsonl"], "the validation data is training data too"),
    ("rows.jsonl", None, ["--encoder", "nobody"], "neither a folder nor a hub id"),
    ("rows.jsonl", None, ["--learning-rate", "3"], "learning_rate is 3.0, allowed are: between 0 and 1"),
    ("none.jsonl", None, [], "none.jsonl: no such file or folder"),
    ("desk.toml", None, [], "labelled data is read from"),
    ("rows.jsonl", None, ["-o", "rows.jsonl/runs"], "rows.jsonl/runs: Not a directory"),
]


@pytest.mark.parametrize(("file", "text", "options", "said"), ERRORS)
def test_every_mistake_is_one_clear_line(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    text: str | None,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    if text is not None:
        (desk / file).write_text(text, encoding="utf-8")
    assert run(monkeypatch, "train", file, "--config", "desk.toml", "-o", "out", *options) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("onrecord: ")]
    assert len(told) == 1
    assert said in told[0]


def test_windows_that_the_encoder_has_no_positions_for_are_refused(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (desk / "desk.toml").read_text().replace("tokens = 64", "tokens = 130").replace("= 128", "= 256")
    (desk / "desk.toml").write_text(text)
    assert run(monkeypatch, "train", "rows.jsonl", "--config", "desk.toml", "-o", "out") == 1
    assert "windows.tokens is 130, in training 160 with padding, but" in capsys.readouterr().err


@pytest.mark.parametrize("n_bytes", [500, 20_000, 120_000], ids=["metrics", "weights", "moments"])
def test_a_full_disk_is_one_line(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], n_bytes: int
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        code = run(monkeypatch, "train", "rows.jsonl", "--config", "desk.toml", "-o", "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("onrecord: ")]
    assert (code, len(told)) == (1, 1)
    assert "File too large" in told[0]
    assert not (desk / "out" / "training.json").exists()


def test_two_processes_train_as_one_that_accumulates_and_write_one_folder(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (desk / "desk.toml").read_text()
    (desk / "one.toml").write_text("accumulate = 2\n" + text)
    script = str(Path(sys.executable).with_name("onrecord"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", script]
    train = ["train", "rows.jsonl", "--config", "desk.toml", "-o", "two"]
    found = subprocess.run([*launch, *train], cwd=desk, capture_output=True, text=True, check=False, timeout=300)
    assert found.returncode == 0, found.stderr[-2000:]
    assert found.stderr.count("model written to two") == 1
    assert run(monkeypatch, "train", "rows.jsonl", "--config", "one.toml", "-o", "one") == 0
    assert json.loads((desk / "two/training.json").read_text())["processes"] == 2
    one, two = (load_file(desk / name / "model.safetensors") for name in ("one", "two"))
    assert max(abs(one[name] - two[name]).max() for name in one) < 1e-3
    assert {path.name for path in (desk / "one").iterdir()} == {path.name for path in (desk / "two").iterdir()}


def test_an_id_in_two_files_is_refused(desk: Path) -> None:
    (desk / "more.csv").write_text("id,text,label\ntoy-0.000,It rained.,none\n", encoding="utf-8")
    with pytest.raises(OnrecordError, match=r"id 'toy-0\.000' stands twice"):
        read_data(TrainConfig(data=(DataSource(path="rows.jsonl"), DataSource(path="more.csv"))))

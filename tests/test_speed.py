import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from .conftest import toy_articles

pytest.importorskip("torch")
from onrecord.cli import bench as bench_module
from onrecord.cli.bench import FP32, INT8, BenchOptions, bench, bench_cli
from onrecord.data.labels import LABELS
from onrecord.data.records import OnrecordError
from onrecord.eval.speed import Runner, Speed, agreement, measure, quality, time_command, write_untrained
from onrecord.model import load
from onrecord.model.scorer import judge_labelled

OURS = Runner("ours", "onrecord", "folder")


def test_figures_are_worked_by_hand() -> None:
    found = Speed(OURS, 1.0, 1.5, 3.0, (0.1, 0.2, 0.3, 0.4, 0.5), 150_000_000, (("none", []),) * 60)
    assert found.figures() == {
        "name": "ours",
        "sentences_per_second": 15.0,
        "sentences_per_second_warm": 20.0,
        "startup_s": 1.0,
        "cold_start_s": 1.5,
        "latency_p50_ms": 300.0,
        "latency_p95_ms": 480.0,
        "peak_memory_mb": 150,
    }


def test_the_latency_of_a_single_article_is_its_own() -> None:
    figures = Speed(OURS, 1, 1, 1, (0.25,), None, (("none", []),)).figures()
    assert (figures["latency_p50_ms"], figures["latency_p95_ms"], figures["peak_memory_mb"]) == (250, 250, None)


def test_quality_is_macro_f1_over_the_judged_sentences() -> None:
    (article,) = toy_articles(1)
    right = [(sentence.label or "", []) for sentence in article.sentences]
    assert quality(right, [article]) == 1.0
    # One of four labels missed and another called in its place: (1 + 1 + 2/3 + 0) / 4.
    assert quality([*right[:3], right[2]], [article]) == pytest.approx(2 / 3)
    assert quality([("LABEL_1", [])] * 4, [article]) is None


def test_agreement_compares_labels_and_probabilities() -> None:
    ours = [("none", [0.1, 0.9]), ("anonymous", [0.5, 0.5])]
    theirs = [("none", [0.2, 0.8]), ("none", [0.5, 0.5])]
    assert agreement(ours, theirs) == {"same_label": 0.5, "mean_change": 0.05}


def test_a_fresh_process_gives_the_verdicts_of_this_one(tiny_model: Path) -> None:
    articles = toy_articles(3)
    found = measure(Runner("ours", "onrecord", str(tiny_model)), articles, threads=1)
    here = judge_labelled(load(tiny_model), articles)
    assert [label for label, _ in found.verdicts] == [LABELS[int(item.log_probabilities.argmax())] for item in here]
    assert 0 < found.startup < found.cold < found.startup + found.busy
    assert len(found.latencies) == 3


def test_other_windows_can_be_measured(tiny_model: Path) -> None:
    runner = Runner("ours", "onrecord", str(tiny_model), windows=(32, 0, 0))
    assert len(measure(runner, toy_articles(2), threads=1).verdicts) == 8


def test_a_run_that_fails_tells_why(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"ours: the run failed: .*no model folder"):
        measure(Runner("ours", "onrecord", str(tmp_path)), toy_articles(1), threads=1)


def test_the_pipeline_judges_every_sentence_in_order(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    write_untrained(tiny_model, tmp_path / "untrained")
    articles = toy_articles(2)
    runner = Runner("pipeline", "pipeline", str(tmp_path / "untrained"), batch=8)
    together = measure(runner, articles, threads=1).verdicts
    assert len(together) == 8
    assert all(label in LABELS and sum(values) == pytest.approx(1, abs=1e-4) for label, values in together)
    alone = measure(runner, articles[1:], threads=1).verdicts
    assert [values for _, values in alone] == [pytest.approx(values, abs=1e-4) for _, values in together[4:]]


def test_a_command_that_fails_tells_why() -> None:
    with pytest.raises(OnrecordError, match="nonsense"):
        time_command((sys.executable, "-c", "import sys; sys.exit('nonsense')"), repeats=1)


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "find_spec", lambda name: None)
    monkeypatch.setattr(bench_module, "_cold_commands", lambda *_: {"onrecord --help": 0.2})


@pytest.mark.usefixtures("without_torch")
def test_without_torch_our_scorer_is_measured_alone(tiny_model: Path) -> None:
    told: list[str] = []
    report = bench(BenchOptions(model=tiny_model, articles=2, threads=1), tell=told.append)
    assert [row["name"] for row in report["runs"]] == [INT8]
    assert report["times_pipeline"] is None
    assert report["data"]["articles"] == 2
    assert any("left out" in line for line in told)


@pytest.mark.usefixtures("without_torch")
def test_a_kept_fp32_graph_is_compared(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    from onrecord.model.restore import load_network
    from onrecord.train.export import export_onnx

    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    export_onnx(load_network(folder), folder / "model.fp32.onnx")
    int8, fp32 = bench(BenchOptions(model=folder, articles=2, threads=1))["runs"]
    assert fp32["name"] == FP32
    assert int8["against_fp32"]["same_label"] > 0.9


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(bench_cli)
    return app


@pytest.mark.usefixtures("without_torch")
def test_the_command_writes_a_table_and_json(app: typer.Typer, tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["--model", str(tiny_model), "--articles", "1", "--threads", "1"]
    out = tmp_path / "speed.json"
    assert CliRunner().invoke(app, [*arguments, "-o", str(out)]).exit_code == 0
    assert json.loads(out.read_text())["runs"][0]["name"] == INT8
    table = CliRunner().invoke(app, [*arguments, "--format", "table"]).stdout
    assert INT8 in table
    assert "sent./s" in table


def test_wrong_windows_are_a_usage_error(app: typer.Typer) -> None:
    for value in ("224", "a,b,c", "9000,1,1"):
        result = CliRunner().invoke(app, ["--windows", value])
        assert result.exit_code == 2
        assert "TOKENS,BEFORE,AFTER" in result.output


@pytest.mark.slow
def test_everything_is_measured_in_one_run(tiny_model: Path) -> None:
    pytest.importorskip("transformers")
    report = bench(BenchOptions(model=tiny_model, articles=3, threads=1, windows=((64, 0, 0),)))
    names = [row["name"] for row in report["runs"]]
    assert names == [INT8, f"{INT8}, windows 64,0,0", FP32, "transformers pipeline"]
    assert report["times_pipeline"] > 1
    assert report["commands"]["python -c 'import torch, transformers'"] > 0

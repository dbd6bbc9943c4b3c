"""Ray against the local engine: `make test-ray`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import toy_articles

pytest.importorskip("ray")
pytest.importorskip("torch")
import ray
from onrecord.cli.score import score_documents
from onrecord.data.corpus import article_text
from onrecord.data.read import read_documents
from onrecord.data.records import OnrecordError
from onrecord.model import load, ray_engine
from onrecord.model.ray_engine import score_with_ray

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Ray's own warnings are not ours


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write articles in several forms, with bad ones among them; names are relative."""
    texts = [article_text(article)[0] for article in toy_articles(12)]
    rows = [json.dumps({"id": f"row-{number}", "text": text}) for number, text in enumerate(texts)]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join([*rows, "{broken", '{"text": 3}', json.dumps({"text": texts[0]})]))
    (folder / "b.txt").write_text(texts[1])
    (folder / "empty.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    return ["in", "missing.txt"]


def test_the_results_are_those_of_the_local_engine_in_its_order(
    inputs: list[str], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "BLOCK_BYTES", 2000)  # several blocks a file
    monkeypatch.setattr(ray_engine, "BATCH_DOCUMENTS", 3)
    local = list(score_documents(load(tiny_model), read_documents(inputs)))
    assert len(local) == 18
    assert list(score_with_ray(inputs, score=score_documents, model=tiny_model)) == local


def test_parquet_and_a_threshold(tmp_path: Path, tiny_model: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "articles.parquet"
    pq.write_table(pa.table({"id": ["x", "y"], "text": ["The mayor said no.", "Residents complained of noise."]}), file)
    model = load(tiny_model)
    model.min_confidence = 1.0
    local = list(score_documents(model, read_documents([str(file)])))
    assert list(score_with_ray([str(file)], score=score_documents, model=tiny_model, min_confidence=1.0)) == local


def test_standard_input_is_refused() -> None:
    with pytest.raises(OnrecordError, match="standard input"):
        list(score_with_ray(["-"], score=score_documents))

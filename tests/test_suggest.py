"""`onrecord suggest`: what to label next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from onrecord.cli import app
from onrecord.cli.suggest import read_pool
from onrecord.data.read import ReadFailure
from onrecord.data.rows import read_rows, write_jsonl
from typer.testing import CliRunner, Result

pytest.importorskip("sklearn")
from onrecord.train.suggest import rank

SURE, TORN, OPEN = (1.0, 0.0, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0), (0.25, 0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("texts", "probabilities", "expected"),
    [
        # (p - guess)² is 0 for sure, 0.5 for torn, 0.75 for open: with no word in common, doubt alone decides
        (["alpha", "beta", "gamma"], [SURE, TORN, OPEN], [2, 1]),
        # the same words and the same doubt twice: nothing is left to learn from the second
        (["alpha", "alpha", "beta"], [OPEN, OPEN, TORN], [0, 2]),
        # the same words with another doubt: still worth something, but less than others
        (["alpha", "alpha", "beta"], [OPEN, (0.4, 0.3, 0.3, 0.0), TORN], [0, 2, 1]),
        (["alpha", "beta"], [SURE, SURE], []),
    ],
)
def test_doubt_and_difference_rank_sentences(
    texts: list[str], probabilities: list[tuple[float, ...]], expected: list[int]
) -> None:
    assert rank(texts, np.array(probabilities), 9) == expected
    assert rank(texts, np.array(probabilities), 1) == expected[:1]


def test_the_order_does_not_depend_on_how_many_are_asked_for() -> None:
    chance = np.random.default_rng(0)
    texts = [" ".join(chance.choice(["one", "two", "three", "four", "five"], 4)) for _ in range(60)]
    probabilities = chance.dirichlet([0.5] * 4, 60)
    assert rank(texts, probabilities, 40)[:10] == rank(texts, probabilities, 10)


@pytest.fixture
def unsure(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny model with a temperature that makes it doubt all that it knows by heart."""
    folder = tmp_path_factory.mktemp("unsure") / "model"
    shutil.copytree(tiny_model, folder)
    calibration = json.loads((folder / "calibration.json").read_text())
    (folder / "calibration.json").write_text(json.dumps(calibration | {"temperature": 20.0}))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["suggest", *map(str, arguments)])


def test_articles_and_unlabelled_rows_are_ranked_and_written_as_rows(unsure: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The mayor reportedly built it. Critics opened what? It denied noise.")
    write_jsonl(
        tmp_path / "rows.jsonl",
        [
            {"id": "r.1", "doc": "r", "text": "Two residents denied it.", "before": ["It opened."], "desk": "city"},
            {
                "id": "r.2",
                "doc": "r",
                "text": "The firm may have moved.",
                "before": ["It opened."],
                "label": "unverified",
            },
            {"id": "whole", "text": "The ministry said yes. What bridge?"},
        ],
    )
    result = run(tmp_path, "--model", unsure, "-o", tmp_path / "todo.jsonl")
    assert result.exit_code == 0, result.output
    assert "6 of 6 unlabelled sentences\n" in result.stderr
    found = [json.loads(line) for line in (tmp_path / "todo.jsonl").read_text().splitlines()]
    by_text = {row["text"]: row for row in found}
    row = by_text["Two residents denied it."]
    assert (row["id"], row["doc"], row["before"], row["desk"]) == ("r.1", "r", ["It opened."], "city")
    assert by_text["What bridge?"]["id"] == "whole.001"
    assert by_text["Critics opened what?"]["before"] == ["The mayor reportedly built it."]
    assert all(row["guess"] and 0.25 <= row["confidence"] <= 1 and "label" not in row for row in found)
    assert [article.sentences[article.judged[0]].label for article in read_rows(tmp_path / "todo.jsonl")] == [None] * 6


def test_what_is_labelled_is_not_suggested_again(unsure: Path, tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("text\nIt moved.\nCritics said it.\n")
    (tmp_path / "desk.csv").write_text("text,label\nCritics said it.,anonymous\n")
    result = run(tmp_path / "pool.csv", "--labelled", tmp_path / "desk.csv", "--model", unsure)
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["It moved."]
    assert run(tmp_path / "pool.csv", "-n", 1, "--model", unsure).stdout.count("\n") == 1


def test_an_input_that_cannot_be_read_costs_the_others_nothing(unsure: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It moved.")
    result = run(tmp_path / "none.txt", tmp_path / "a.txt", "--model", unsure)
    assert result.exit_code == 3
    assert result.stdout.count("\n") == 1
    assert "none.txt: no such file" in result.stderr


def test_a_pool_is_read_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It moved. Critics said so.")
    failures: list[ReadFailure] = []
    (article,) = read_pool([str(tmp_path)], failures)
    assert [sentence.text for sentence in article.sentences] == ["It moved.", "Critics said so."]
    assert not failures

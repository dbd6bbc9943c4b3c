"""Likely label errors, and the out-of-fold predictions that they are told from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from onrecord.cli import app
from onrecord.data.labels import LABELS, Label
from onrecord.data.records import Article, OnrecordError
from onrecord.data.rows import article_to_rows, write_jsonl
from onrecord.eval.label_errors import group_scores, likely_errors
from onrecord.eval.predictions import Prediction, read_predictions, write_predictions
from typer.testing import CliRunner

from .conftest import toy_articles


def row(name: str, label: Label, *probabilities: float) -> Prediction:
    p = dict(zip(LABELS, probabilities, strict=True))
    return Prediction(name, f"Sentence {name}.", label, max(LABELS, key=lambda label: p[label]), p)


def test_suspects_by_hand() -> None:
    rows = [
        # thresholds: attributed (0.9 + 0.8 + 0.1) / 3 = 0.6, none (0.8 + 0.7 + 0.3) / 3 = 0.6
        row("a", "attributed", 0.9, 0, 0, 0.1),
        row("b", "attributed", 0.8, 0, 0, 0.2),
        row("c", "attributed", 0.1, 0, 0, 0.9),  # 'none' reaches its threshold
        row("d", "none", 0.2, 0, 0, 0.8),
        row("e", "none", 0.3, 0, 0, 0.7),
        row("f", "none", 0.55, 0.15, 0, 0.3),  # 'attributed' is the likeliest, but does not reach its threshold
    ]
    (found,) = likely_errors(rows)
    assert (found.row.id, found.likelier, found.margin) == ("c", "none", pytest.approx(0.8))


def test_the_worst_comes_first_and_a_label_that_no_row_carries_is_never_likelier() -> None:
    rows = [
        row("a", "attributed", 0.6, 0.4, 0, 0),
        row("b", "attributed", 0.1, 0.9, 0, 0),
        row("c", "none", 0.5, 0, 0, 0.5),
        row("d", "none", 0.7, 0, 0, 0.3),
    ]
    assert [(found.row.id, found.likelier) for found in likely_errors(rows)] == [
        ("d", "attributed"),
        ("c", "attributed"),
    ]


def wrong(articles: list[Article]) -> list[Article]:
    """Give the first article's first sentence the label 'none'."""
    first = articles[0]
    sentences = (dataclasses.replace(first.sentences[0], label="none", spans=()), *first.sentences[1:])
    return [dataclasses.replace(first, sentences=sentences), *articles[1:]]


@pytest.fixture(scope="module")
def check(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with rows of which one is wrong, and the configuration of a tiny model."""
    folder = tmp_path_factory.mktemp("check")
    articles = wrong(toy_articles(24))
    write_jsonl(folder / "rows.jsonl", (row for article in articles for row in article_to_rows(article)))
    (folder / "tiny.toml").write_text(
        f'encoder = "{tiny_encoder}"\nepochs = 6\nlearning_rate = 5e-3\nbatch_tokens = 128\ndropout = 0.0\n'
        'device = "cpu"\nbf16 = false\npatience = 6\n[windows]\ntokens = 64\n'
    )
    return folder


def test_a_wrong_label_is_found_by_models_that_have_not_seen_it(check: Path) -> None:
    pytest.importorskip("torch")
    options = ["--with-model", "--folds", "3", "--config", str(check / "tiny.toml"), "--predictions", str(check / "p")]
    result = CliRunner().invoke(app, ["data", "check", str(check / "rows.jsonl"), *options])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("toy-0.000: none, rather attributed (")
    assert result.stdout.splitlines()[0].endswith("): The mayor said the bridge was safe.")
    rows = read_predictions(check / "p")
    assert [(row.id, row.doc) for row in rows[:2]] == [("toy-0.000", "toy-0"), ("toy-0.001", "toy-0")]
    assert len(rows) == 96
    again = CliRunner().invoke(app, ["data", "check", str(check / "rows.jsonl"), *options])
    assert again.stdout == result.stdout


def test_predictions_of_other_data_are_refused(check: Path, tmp_path: Path) -> None:
    write_predictions(tmp_path / "p", [row("a", "none", 0, 0, 0, 1)])
    options = ["--with-model", "--predictions", str(tmp_path / "p")]
    result = CliRunner().invoke(app, ["data", "check", str(check / "rows.jsonl"), *options])
    assert isinstance(result.exception, OnrecordError)
    assert "not for these sentences" in str(result.exception)


def test_folds_keep_articles_whole_and_are_of_a_size() -> None:
    pytest.importorskip("torch")
    from onrecord.train.outoffold import fold_docs

    articles = toy_articles(7)
    fold_of = fold_docs([*articles, *articles], 3)
    assert fold_of.keys() == {article.doc for article in articles}
    assert sorted(list(fold_of.values()).count(fold) for fold in range(3)) == [2, 2, 3]
    with pytest.raises(OnrecordError, match="folds are 8, allowed are 2 to 7"):
        fold_docs(articles, 8)


def test_folds_can_keep_desks_whole() -> None:
    pytest.importorskip("torch")
    from onrecord.train.outoffold import fold_docs

    articles = [
        dataclasses.replace(article, meta={"desk": f"desk-{at // 2}"}) for at, article in enumerate(toy_articles(8))
    ]
    fold_of = fold_docs(articles, 2, "desk")
    assert all(fold_of[one.doc] == fold_of[other.doc] for one, other in zip(articles[::2], articles[1::2], strict=True))
    assert sorted(fold_of.values()).count(0) == 4
    with pytest.raises(OnrecordError, match="folds are 5, allowed are 2 to 4, the number of different 'desk'"):
        fold_docs(articles, 5, "desk")
    with pytest.raises(OnrecordError, match="toy-0: no field 'beat' to keep articles together by"):
        fold_docs(articles, 2, "beat")


def test_scores_of_groups_come_all_first_then_the_worst() -> None:
    rows = [
        dataclasses.replace(row("a", "none", 0, 0, 0, 1), meta={"desk": "good"}),
        dataclasses.replace(row("b", "attributed", 0, 0, 0, 1), meta={"desk": "bad"}),
        row("c", "attributed", 1, 0, 0, 0),
    ]
    # All: none has 1 hit, 1 false: F1 2/3; attributed has 1 hit, 1 missed: F1 2/3.
    assert group_scores(rows, "desk") == [("all", pytest.approx(2 / 3), 3), ("bad", 0.0, 1), ("good", 1.0, 1)]

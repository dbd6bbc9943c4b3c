"""The behaviour suite (`behaviour/*.groups`): how it is made, how it is counted, and what the bundled model does."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from onrecord.data.corpus import bundled_corpus, read_corpus
from onrecord.data.groups import read_groups
from onrecord.data.labels import Label
from onrecord.data.records import Article, Sentence
from onrecord.data.rows import article_to_rows, row_to_article
from onrecord.data.splits import split_of
from onrecord.eval.behaviour import behaviour, group_figures, table, with_context
from onrecord.eval.predict import predict
from onrecord.eval.predictions import Prediction
from onrecord.model import load
from onrecord.model.folder import bundled_model

from .eval_rows import row

SUITE = Path(__file__).parent / "behaviour"

MIN_CONTRAST_GROUPS_RIGHT = 0.75
MIN_INVARIANCE_GROUPS_ALIKE = 0.9
MIN_GAIN_FROM_CONTEXT = 0.1
MIN_ROWS_LIKE_ARTICLES = 0.97


def judged(article: Article) -> Sentence:
    return article.sentences[article.judged[0]]


@pytest.fixture(scope="module")
def groups() -> list[list[Article]]:
    return [list(rows) for _, rows in groupby(read_groups(SUITE), key=lambda article: article.doc)]


def of(groups: list[list[Article]], flag: str, value: str) -> list[list[Article]]:
    return [rows for rows in groups if rows[0].meta[flag] == value]


def test_the_suite_is_large_enough_to_tell_models_apart(groups: list[list[Article]]) -> None:
    labels = Counter(judged(article).label for rows in groups for article in rows)
    assert len(of(groups, "invariance", "False")) >= 120
    assert len(of(groups, "by_context", "True")) >= 40
    assert len(of(groups, "invariance", "True")) >= 25
    assert labels["anonymous"] >= 230
    assert min(labels.values()) >= 50
    assert {len(rows) for rows in groups} <= {2, 3, 4}


def test_labels_differ_within_a_contrast_group_and_agree_within_an_invariance_group(
    groups: list[list[Article]],
) -> None:
    for rows in groups:
        n_labels = len({judged(article).label for article in rows})
        assert (n_labels == 1) == (rows[0].meta["invariance"] == "True"), rows[0].doc


def test_groups_by_context_share_their_sentence_and_no_two_rows_are_the_same(groups: list[list[Article]]) -> None:
    for rows in groups:
        if rows[0].meta["by_context"] == "True":
            assert len({judged(article).text for article in rows}) == 1, rows[0].doc
        assert len({tuple(sentence.text for sentence in article.sentences) for article in rows}) == len(rows), rows[
            0
        ].doc


def test_every_claim_has_its_evidence_marked_but_for_quotations_that_run_on(groups: list[list[Article]]) -> None:
    for article in (article for rows in groups for article in rows):
        text, spans = judged(article).text, judged(article).spans or ()
        needed = {"none": set(), "unverified": {"hedge"}}.get(str(judged(article).label), {"source", "cue"})
        if needed and not spans:
            assert text[0] in "\"“‘'" and text[-1] in "\"”’'" and len(article.sentences) > 1, article.id  # noqa: PT018
            continue
        assert needed <= {span.tag for span in spans}, article.id
        unidentified = any(span.kind == "unidentified" for span in spans)
        assert unidentified or judged(article).label != "anonymous", article.id
        assert all(text[span.start : span.end].strip() == text[span.start : span.end] for span in spans), article.id


def test_no_sentence_of_the_suite_stands_in_the_corpus(groups: list[list[Article]]) -> None:
    corpus = {sentence.text for article in read_corpus(bundled_corpus()) for sentence in article.sentences}
    assert not corpus & {sentence.text for rows in groups for article in rows for sentence in article.sentences}


# ------------------------------------------------------------------------------------------------- how it is counted


def predicted(group: str, pairs: str, *, context: bool = False, invariance: bool = False) -> list[Prediction]:
    """Rows of a group from pairs of gold and predicted label, such as "aa oa" (o: anonymous)."""
    names: dict[str, Label] = {"a": "attributed", "o": "anonymous", "u": "unverified", "n": "none"}
    meta = {"phenomenon": group[0], "group": group, "by_context": str(context), "invariance": str(invariance)}
    return [
        row(f"{group}.{at}", names[gold], names[found], doc=group, meta=meta)
        for at, (gold, found) in enumerate(pairs.split(), 1)
    ]


ROWS = [
    *predicted("p1", "aa oo"),
    *predicted("p2", "aa oa nn", context=True),
    *predicted("q1", "aa oo", context=True),
    *predicted("q2", "oa oa", invariance=True),
    *predicted("q3", "nn nu nn", invariance=True),
]


def test_a_contrast_group_counts_only_where_all_its_rows_are_right() -> None:
    figures = group_figures(ROWS)
    assert figures["contrast"]["n_groups"] == 3
    assert figures["contrast"]["fully_right"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["by_context"]["n_groups"] == 2
    assert figures["by_context"]["fully_right"]["value"] == 0.5


def test_an_invariance_group_may_be_wrong_alike() -> None:
    figures = group_figures(ROWS)["invariance"]
    assert figures["n_groups"] == 2
    assert figures["same_label"]["value"] == 0.5
    assert figures["fully_right"]["value"] == 0


def test_the_harmful_rate_is_that_of_anonymous_rows_called_attributed() -> None:
    harmful = group_figures(ROWS)["harmful"]
    assert (harmful["n_anonymous"], harmful["n_called_attributed"]) == (5, 3)
    assert harmful["rate"]["value"] == 0.6
    low, high = harmful["rate"]["ci95"]
    assert 0 <= low < 0.6 < high <= 1


def test_every_phenomenon_has_its_line_and_every_wrong_row_is_listed() -> None:
    figures = group_figures(ROWS)
    assert figures["phenomena"] == {
        "p": {"n_groups": 2, "fully_right": 0.5, "n_rows": 5, "right": 0.8},
        "q": {"n_groups": 3, "fully_right": 0.3333, "n_rows": 7, "right": 0.5714},
    }
    assert [wrong["id"] for wrong in figures["wrong"]] == ["p2.2", "q2.1", "q2.2", "q3.2"]
    text = table(figures)
    assert "p                              2         0.50     5   0.80" in text
    assert "q3.2: none called unverified: " in text


def test_figures_of_what_is_not_there_are_null() -> None:
    figures = group_figures(predicted("p1", "nn uu"))
    assert figures["invariance"]["same_label"] == {"value": None, "ci95": None}
    assert figures["harmful"]["rate"] == {"value": None, "ci95": None}


@pytest.mark.parametrize(("n_before", "expected"), [(0, "CD"), (1, "BCD"), (6, "ABCD")])
def test_context_is_cut_before_the_judged_sentence(n_before: int, expected: str) -> None:
    article = Article("x", "x", tuple(Sentence(letter) for letter in "ABCD"), (2,))
    cut = with_context(article, n_before)
    assert "".join(sentence.text for sentence in cut.sentences) == expected
    assert judged(cut).text == "C"


def test_a_model_is_run_over_a_folder_with_more_and_less_context(tiny_model: Path, tmp_path: Path) -> None:
    from onrecord.model.scorer import Model

    text = "# context: a\n- {0}\nattributed | {{s:It}} {{c:said}} no.\n- {1}\nanonymous | {{a:It}} {{c:said}} no.\n"
    (tmp_path / "x.groups").write_text(text.format("The ministry denied it.", "Two officials spoke."), encoding="utf-8")
    model = Model(tiny_model, threads=1)
    figures = behaviour(model, tmp_path)
    assert figures["model"] == {"name": "tiny", "sha256": model.id.sha256}
    assert (figures["n_rows"], figures["by_context"]["n_groups"]) == (2, 1)
    assert list(figures["context"]) == ["0", "1", "2", "6"]
    # Without context the two rows are one and the same: one of them is wrong.
    assert figures["context"]["0"]["fully_right"]["value"] == 0
    assert figures["context"]["0"]["right"]["value"] <= 0.5
    json.dumps(figures, allow_nan=False)


# ---------------------------------------------------------------------------------------------- the bundled model


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Figures of the bundled model, written to `behaviour.json` too."""
    if not (bundled_model() / "model.onnx").exists():
        pytest.skip("there is no bundled model yet: model/bundled/model.onnx is missing")
    found = behaviour(load(), SUITE)
    path = tmp_path_factory.mktemp("behaviour") / "behaviour.json"
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False), encoding="utf-8")
    return found | {"path": str(path)}


@pytest.mark.slow
def test_the_bundled_model_gets_three_contrast_groups_in_four_fully_right(figures: dict[str, Any]) -> None:
    message = f"{figures['path']}\n{table(figures)}"
    assert figures["contrast"]["fully_right"]["value"] >= MIN_CONTRAST_GROUPS_RIGHT, message


@pytest.mark.slow
def test_the_bundled_model_is_not_moved_by_names_numbers_and_quotation_marks(figures: dict[str, Any]) -> None:
    message = f"{figures['path']}\n{table(figures)}"
    assert figures["invariance"]["same_label"]["value"] >= MIN_INVARIANCE_GROUPS_ALIKE, message


@pytest.mark.slow
def test_the_bundled_model_uses_the_sentences_before(figures: dict[str, Any]) -> None:
    right = {n_before: one["right"]["value"] for n_before, one in figures["context"].items()}
    assert right["6"] - right["0"] >= MIN_GAIN_FROM_CONTEXT, f"{figures['path']}\nright by sentences before: {right}"


@pytest.mark.slow
def test_sentences_given_as_rows_get_the_labels_that_they_have_in_their_article() -> None:
    model = load()
    articles = [article for article in read_corpus(bundled_corpus()) if split_of(article.doc) == "test"]
    rows = [row_to_article(one, fallback_id="") for article in articles for one in article_to_rows(article)]
    whole, alone = ([one.predicted for one in predict(model, given)] for given in (articles, rows))
    same = [one == other for one, other in zip(whole, alone, strict=True)]
    assert sum(same) / len(same) >= MIN_ROWS_LIKE_ARTICLES

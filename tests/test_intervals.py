from __future__ import annotations

import numpy as np
import pytest
from onrecord.eval import metrics
from onrecord.eval.intervals import Bootstrap, as_number
from onrecord.eval.metrics import FloatArray


def total(counts: FloatArray) -> FloatArray:
    return counts[..., 0]


def share(counts: FloatArray) -> FloatArray:
    return metrics.divide(counts[..., 0], counts.sum(-1))


def test_a_share_of_0_or_1_has_the_exact_interval_of_its_articles() -> None:
    # The rule of three, two-sided: none of 4 articles leaves up to 1 - 0.025^(1/4) = 0.602.
    counted = Bootstrap(["a", "b", "c", "d"], seed=0).count(np.zeros(4, dtype=np.int64), (2,))
    assert counted.figure(share) == {"value": 1, "ci95": [pytest.approx(0.397635), 1]}
    assert counted.figure(share, n_docs=2)["ci95"] == [pytest.approx(0.158114), 1]


def test_a_precision_of_1_has_the_interval_of_the_articles_that_are_called_so() -> None:
    # Gold 1 in all of four articles, called 1 in one of them, else 0: one article says little about precision.
    confusion = Bootstrap(["a", "b", "c", "d"], seed=0).count(np.array([3, 2, 2, 2]), (2, 2))
    assert confusion.figures(metrics.precision, called=True)[1] == {"value": 1, "ci95": [pytest.approx(0.025), 1]}


def test_counts_add_up_over_all_rows() -> None:
    counted = Bootstrap(["a", "b", "a"], seed=0).count(np.array([0, 1, 3]), (2, 2))
    assert counted.total.tolist() == [[1, 1], [0, 1]]
    assert counted.draws.shape == (2000, 2, 2)


def test_articles_are_drawn_whole() -> None:
    # Article a has three rows, b one: a resample of two articles has 6, 4 or 2 rows.
    counted = Bootstrap(["a", "a", "b", "a"], seed=0).count(np.zeros(4, dtype=np.int64), (1,))
    values, times = np.unique(counted.draws, return_counts=True)
    assert values.tolist() == [2, 4, 6]
    assert times / 2000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)


def test_only_the_rows_that_are_kept_count() -> None:
    counted = Bootstrap(["a", "b", "c"], seed=0).count(np.zeros(3, dtype=np.int64), (1,), np.array([0, 2]))
    assert counted.total.tolist() == [2]
    assert counted.n_docs == 2


def test_sums_of_rows_equal_counts() -> None:
    bootstrap = Bootstrap(["a", "b", "a"], seed=0)
    added = bootstrap.add(np.array([[1.0, 0], [0, 1], [1, 0]]))
    counted = bootstrap.count(np.array([0, 1, 0]), (2,))
    assert (added.draws == counted.draws).all()


def test_one_seed_gives_the_same_draws_and_another_seed_others() -> None:
    docs = [str(at) for at in range(30)]
    draws = [Bootstrap(docs, seed=seed).count(np.arange(30) % 2, (2,)).draws for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all()
    assert not (draws[0] == draws[2]).all()


def test_one_article_has_no_interval() -> None:
    assert Bootstrap(["a", "a"], seed=0).count(np.array([0, 1]), (2,)).figure(share) == {"value": 0.5, "ci95": None}


def test_an_undefined_figure_is_null() -> None:
    counted = Bootstrap(["a", "b"], seed=0).count(np.array([0, 0]), (2,))
    assert counted.figure(lambda counts: metrics.divide(counts[..., 1], counts[..., 1])) == {
        "value": None,
        "ci95": None,
    }
    assert as_number(np.nan) is None


def test_the_interval_of_a_mean_is_near_the_textbook_one() -> None:
    n = 400
    figure = Bootstrap([str(at) for at in range(n)], seed=0).count(np.arange(n) % 4 // 3, (2,)).figure(share)
    half = 1.966 * np.sqrt(0.75 * 0.25 / n)
    assert figure["ci95"] == pytest.approx([0.75 - half, 0.75 + half], abs=0.005)


def test_a_difference_of_a_model_from_itself_is_certain() -> None:
    counted = Bootstrap([str(at) for at in range(20)], seed=0).count(np.arange(20) % 2, (2,))
    assert counted.difference(counted, share) == {"value": 0.0, "ci95": [0.0, 0.0]}


def test_a_paired_interval_is_narrower_than_two_apart() -> None:
    # Two models that err together, but for one sentence in ten.
    bootstrap = Bootstrap([str(at) for at in range(200)], seed=0)
    one = bootstrap.count(np.arange(200) % 2, (2,))
    two = bootstrap.count(np.where(np.arange(200) % 10 == 0, 1, np.arange(200) % 2), (2,))
    paired = one.difference(two, share)
    alone = one.figure(share)
    assert paired["value"] == pytest.approx(0.1)
    assert paired["ci95"][1] - paired["ci95"][0] < (alone["ci95"][1] - alone["ci95"][0]) / 1.5


def simulate(random: np.random.Generator, n_files: int, *, n_docs: int) -> FloatArray:
    """Draw confusion matrices `[file, article, 4, 4]` of articles that differ in mix, in length, and in difficulty."""
    mix = np.array([0.43, 0.09, 0.06, 0.42])
    skilled = np.array(
        [[0.9, 0.03, 0.02, 0.05], [0.2, 0.65, 0.05, 0.1], [0.1, 0.05, 0.65, 0.2], [0.08, 0.01, 0.03, 0.88]]
    )
    mixes = random.dirichlet(8 * mix, size=(n_files, n_docs))
    ease = random.beta(6, 3, size=(n_files, n_docs, 1, 1))
    cells = mixes[..., None] * (ease * skilled + (1 - ease) * 0.25)
    cells = cells.reshape(n_files, n_docs, 16)
    lengths = random.poisson(23, size=(n_files, n_docs)) + 1
    return (
        random.multinomial(lengths, cells / cells.sum(-1, keepdims=True)).reshape(n_files, n_docs, 4, 4).astype(float)
    )


@pytest.mark.parametrize("n_files", [1000, pytest.param(5000, marks=pytest.mark.slow)])
def test_intervals_of_macro_f1_cover_the_truth_in_about_95_of_100_files_of_60_articles(n_files: int) -> None:
    random = np.random.default_rng(7)
    truth = float(metrics.macro_f1(simulate(random, 2000, n_docs=60).sum((0, 1))))
    bootstrap = Bootstrap([str(at) for at in range(60)], seed=7)
    covered = 0
    for counts in simulate(random, n_files, n_docs=60):
        low, high = bootstrap.resample(counts).figure(metrics.macro_f1)["ci95"]
        covered += low <= truth <= high
    assert 0.92 <= covered / n_files <= 0.97

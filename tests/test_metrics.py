from __future__ import annotations

import math
import random

import numpy as np
import pytest
from onrecord.data.labels import LABELS
from onrecord.eval import metrics
from onrecord.eval.metrics import FloatArray

# Rows: gold attributed, anonymous, unverified, none. 20 sentences, 13 of them right.
WORKED = np.array([[6, 1, 0, 1], [2, 2, 0, 0], [0, 0, 1, 1], [1, 0, 1, 4]], dtype=np.float64)


def confusion(gold: list[int], predicted: list[int]) -> FloatArray:
    counts = np.zeros((4, 4))
    np.add.at(counts, (gold, predicted), 1)
    return counts


def test_accuracy_precision_recall_and_f1_of_a_worked_example() -> None:
    assert metrics.accuracy(WORKED) == pytest.approx(13 / 20)
    assert metrics.precision(WORKED) == pytest.approx([6 / 9, 2 / 3, 1 / 2, 4 / 6])
    assert metrics.recall(WORKED) == pytest.approx([6 / 8, 2 / 4, 1 / 2, 4 / 6])
    assert metrics.f1(WORKED) == pytest.approx([12 / 17, 4 / 7, 1 / 2, 2 / 3])
    assert metrics.macro_f1(WORKED) == pytest.approx((12 / 17 + 4 / 7 + 1 / 2 + 2 / 3) / 4)


def test_the_harmful_error_counts_anonymous_called_attributed() -> None:
    assert metrics.harmful_rate(WORKED) == pytest.approx(2 / 4)
    assert metrics.harmful_share(WORKED) == pytest.approx(2 / 9)


def test_mcc_of_two_classes_is_the_textbook_formula() -> None:
    two = np.zeros((4, 4))
    two[0, 0], two[0, 3], two[3, 0], two[3, 3] = 6, 2, 1, 3
    assert metrics.mcc(two) == pytest.approx((6 * 3 - 2 * 1) / math.sqrt(8 * 7 * 5 * 4))


def test_a_label_that_is_not_in_the_gold_has_no_f1_and_is_left_out_of_the_mean() -> None:
    counts = confusion([0, 0, 3, 3], [0, 1, 3, 3])
    assert np.isnan(metrics.f1(counts)[[1, 2]]).all()
    assert metrics.macro_f1(counts) == pytest.approx((2 / 3 + 1) / 2)


def test_a_label_that_is_never_predicted_has_no_precision_and_an_f1_of_zero() -> None:
    counts = confusion([0, 1], [0, 0])
    assert np.isnan(metrics.precision(counts)[1])
    assert metrics.f1(counts)[1] == 0


def test_one_class_has_no_mcc() -> None:
    assert np.isnan(metrics.mcc(confusion([0, 0, 0], [0, 0, 3])))


def test_every_figure_is_kept_for_each_matrix_of_a_stack() -> None:
    stack = np.stack([WORKED, np.eye(4)])
    for statistic in (metrics.accuracy, metrics.macro_f1, metrics.mcc, metrics.f1, metrics.harmful_rate):
        assert statistic(stack)[0] == pytest.approx(statistic(WORKED))
        assert statistic(stack)[1] == pytest.approx(statistic(np.eye(4)))


@pytest.mark.parametrize("seed", range(5))
def test_figures_agree_with_scikit_learn(seed: int) -> None:
    reference = pytest.importorskip("sklearn.metrics")
    source = random.Random(seed)
    gold = source.choices(range(4), (43, 9, 6, 42), k=300)
    predicted = [label if source.random() < 0.6 else source.randrange(4) for label in gold]
    counts = confusion(gold, predicted)
    precision, recall, f1, _ = reference.precision_recall_fscore_support(gold, predicted, labels=range(len(LABELS)))
    assert metrics.precision(counts) == pytest.approx(precision)
    assert metrics.recall(counts) == pytest.approx(recall)
    assert metrics.f1(counts) == pytest.approx(f1)
    assert metrics.macro_f1(counts) == pytest.approx(reference.f1_score(gold, predicted, average="macro"))
    assert metrics.accuracy(counts) == pytest.approx(reference.accuracy_score(gold, predicted))
    assert metrics.mcc(counts) == pytest.approx(reference.matthews_corrcoef(gold, predicted))
    scores = np.round(np.array([source.random() for _ in gold]), 2)  # with ties
    precisions, recalls, thresholds = metrics.precision_recall(np.array(gold) == 0, scores)
    their_precisions, their_recalls, their_thresholds = reference.precision_recall_curve(np.array(gold) == 0, scores)
    assert precisions == pytest.approx(their_precisions[:-1][::-1])
    assert recalls == pytest.approx(their_recalls[:-1][::-1])
    assert thresholds == pytest.approx(their_thresholds[::-1])
    assert metrics.average_precision(precisions, recalls) == pytest.approx(
        reference.average_precision_score(np.array(gold) == 0, scores)
    )


def test_precision_and_recall_of_a_worked_ranking() -> None:
    precisions, recalls, thresholds = metrics.precision_recall(
        np.array([True, False, True, False]), np.array([0.9, 0.8, 0.8, 0.1])
    )
    assert thresholds.tolist() == [0.9, 0.8, 0.1]
    assert precisions.tolist() == [1, 2 / 3, 2 / 4]
    assert recalls.tolist() == [0.5, 1, 1]
    assert metrics.average_precision(precisions, recalls) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)

import numpy as np
import pytest
from onrecord.data.labels import LABELS
from onrecord.model.calibration import Calibration, fit


def test_probabilities_of_a_worked_example() -> None:
    calibration = Calibration(temperature=2.0, bias=(0.0, 0.0, 0.0, np.log(2)))
    logs = np.log(np.array([[0.64, 0.16, 0.16, 0.04]], dtype=np.float32))
    # Square roots: 0.8, 0.4, 0.4, 0.2 · 2 → each a multiple of 0.4
    assert calibration.probabilities(logs)[0] == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=1e-6)


def test_an_anonymous_source_is_kept_where_the_argmax_would_call_it_attributed() -> None:
    calibration = Calibration(cost={"anonymous": {"attributed": 3.0}})
    probabilities = np.array([[0.55, 0.40, 0.0, 0.05], [0.95, 0.05, 0.0, 0.0]], dtype=np.float32)
    # Row 1: calling it attributed costs 3 · 0.40 + 0.05 = 1.25, anonymous 0.60.
    assert [LABELS[i] for i in calibration.decide(probabilities)] == ["anonymous", "attributed"]


def test_fitting_finds_the_temperature_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    gold = [int(rng.choice(4, p=row)) for row in p]
    found = fit((3 * logits).astype(np.float32), gold, priors=False, fitted_on="a simulation")
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.bias == (0.0, 0.0, 0.0, 0.0)


def test_fitting_priors_recovers_a_shift_of_the_classes() -> None:
    rng = np.random.default_rng(1)
    shift = np.array([0.5, -1.0, 0.0, 0.5])
    logits = rng.normal(size=(20_000, 4)) * 2
    p = np.exp(logits + shift)
    p /= p.sum(1, keepdims=True)
    gold = [int(rng.choice(4, p=row)) for row in p]
    found = fit(logits.astype(np.float32), gold, priors=True, fitted_on="a simulation")
    assert np.array(found.bias) - np.mean(found.bias) == pytest.approx(shift - shift.mean(), abs=0.06)
    assert found.temperature == pytest.approx(1, rel=0.05)

from __future__ import annotations

import pytest
from onrecord.eval.characters import LabelledSpan, character_confusion, character_f1, character_figures

GOLD: list[LabelledSpan] = [(0, 10, "attributed"), (11, 21, "none")]


def test_the_same_cuts_and_labels_are_perfect() -> None:
    assert character_f1(GOLD, GOLD) == {"attributed": 1, "anonymous": None, "unverified": None, "none": 1}


def test_a_sentence_cut_in_two_loses_only_the_part_with_the_wrong_label() -> None:
    cut: list[LabelledSpan] = [(0, 6, "attributed"), (6, 10, "none"), (11, 21, "none")]
    found = character_f1(GOLD, cut)
    assert found["attributed"] == pytest.approx(2 * 6 / (10 + 6))
    assert found["none"] == pytest.approx(2 * 10 / (10 + 14))


def test_characters_outside_all_sentences_of_one_side_count_against_the_other() -> None:
    # One sentence is missed, one reaches over the gap between the two.
    assert character_f1(GOLD, [(0, 11, "attributed")])["attributed"] == pytest.approx(2 * 10 / (10 + 11))
    assert character_f1(GOLD, [(0, 11, "attributed")])["none"] == 0
    assert character_confusion(GOLD, [(0, 11, "attributed")])[4, 0] == 1


def test_articles_are_added_up_and_get_intervals() -> None:
    articles = {f"a{at}": (GOLD, GOLD if at % 2 else [(0, 21, "none")]) for at in range(40)}
    figures = character_figures(articles, seed=0)
    assert figures["n_docs"] == 40
    assert figures["n_characters"] == 800
    # Attributed: 200 of 400 characters found; none: 400 of 400, and 220 more.
    assert figures["per_label"]["attributed"]["value"] == pytest.approx(2 * 200 / (400 + 200), abs=1e-6)
    assert figures["per_label"]["none"]["value"] == pytest.approx(2 * 400 / (400 + 620), abs=1e-6)
    assert figures["per_label"]["anonymous"] == {"value": None, "ci95": None}
    assert figures["macro_f1"]["ci95"][0] < figures["macro_f1"]["value"] < figures["macro_f1"]["ci95"][1]

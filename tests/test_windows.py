from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onrecord.model.windows import SPECIALS, Window, WindowConfig, pieces, plan, window_length


def test_plan_covers_four_sentences_with_two_windows_by_hand() -> None:
    found = plan([5, 5, 5, 5], [0, 1, 2, 3], tokens=20, before=1, after=1)
    assert found == [Window(0, 3, (0, 1)), Window(1, 4, (2, 3))]


def test_a_row_gets_all_the_context_that_fits() -> None:
    assert plan([30] * 8, [6], tokens=224, before=2, after=1) == [Window(1, 8, (6,))]


def test_the_last_window_of_an_article_is_as_short_as_its_sentences_allow() -> None:
    found = plan([30] * 8, list(range(8)), tokens=224, before=2, after=1)
    assert found == [Window(0, 7, (0, 1, 2, 3, 4, 5)), Window(4, 8, (6, 7))]


def test_a_sentence_longer_than_a_window_is_left_to_pieces() -> None:
    assert plan([300, 30, 30], [0, 1, 2], tokens=224, before=2, after=1) == [Window(1, 3, (1, 2))]


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    tokens=st.integers(8, 80),
    before=st.integers(0, 3),
    after=st.integers(0, 2),
    data=st.data(),
)
def test_every_sentence_that_fits_is_judged_once_with_its_neighbours(
    lengths: list[int], tokens: int, before: int, after: int, data: st.DataObject
) -> None:
    judged = sorted(data.draw(st.sets(st.integers(0, len(lengths) - 1))))
    windows = plan(lengths, judged, tokens=tokens, before=before, after=after)
    assert [i for window in windows for i in window.judged] == [i for i in judged if lengths[i] + SPECIALS <= tokens]
    for window in windows:
        assert window_length(lengths, window.first, window.last) <= tokens
        for index in window.judged:
            assert window.first <= index < window.last
            wanted = range(max(0, index - before), min(len(lengths), index + after + 1))
            if window_length(lengths, wanted.start, wanted.stop) <= tokens and len(window.judged) == 1:
                assert window.first <= wanted.start
                assert window.last >= wanted.stop


@given(length=st.integers(1, 3000), tokens=st.integers(8, 512))
def test_pieces_cover_every_token_and_fit_the_window(length: int, tokens: int) -> None:
    found = pieces(length, tokens=tokens)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(found))
    assert all(0 < end - start <= tokens - SPECIALS for start, end in found)


@pytest.mark.parametrize("values", [{"tokens": 4}, {"tokens": 1000}, {"before": -1}, {"after": -1}])
def test_a_window_that_cannot_be_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed are"):
        WindowConfig(**values)

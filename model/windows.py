"""Pack an article's sentences into windows: `[CLS] s1 [SEP] s2 [SEP] …`.

One pass of the encoder over a window judges all its sentences. A sentence is judged in a window where it has its
neighbours: `before` sentences to the left (references look back) and `after` to the right, as far as the article has
them. Only token counts matter here, so `plan` works on lengths:

    plan([5, 5, 5, 5], [0, 1, 2, 3], tokens=20, before=1, after=1)  →  three sentences fit a window
    [Window(0, 3, (0, 1)), Window(1, 4, (2, 3))]

A judged sentence longer than a window is left to `pieces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SPECIALS = 2
"""`[CLS]` and one `[SEP]`: what a window of a single sentence adds."""


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """How articles are cut; saved in the model folder."""

    tokens: int = 224
    """Tokens of a window, `[CLS]` and `[SEP]` included."""
    before: int = 2
    """Sentences that a judged sentence has to its left, at least."""
    after: int = 1
    """Sentences that a judged sentence has to its right, at least."""

    def __post_init__(self) -> None:
        if not 8 <= self.tokens <= 512:
            raise ValueError(f"windows.tokens is {self.tokens}, allowed are 8 to 512")
        if self.before < 0 or self.after < 0:
            raise ValueError(
                f"windows.before and windows.after are {self.before} and {self.after}, allowed are 0 and up"
            )


@dataclass(frozen=True, slots=True)
class Window:
    """Sentences `first` to `last` (exclusive), and which of them it judges."""

    first: int
    last: int
    judged: tuple[int, ...]


def window_length(lengths: Sequence[int], first: int, last: int) -> int:
    """Return the tokens of a window over sentences `first` to `last`, special tokens included."""
    return 1 + sum(lengths[first:last]) + (last - first)


def plan(lengths: Sequence[int], judged: Sequence[int], *, tokens: int, before: int, after: int) -> list[Window]:
    """Cover the judged sentences with windows, left to right, as few as the neighbours allow.

    Sentences longer than a window are skipped, as context too. Where neighbours do not fit, those on the right go
    first, then the farthest on the left.

    Args:
        lengths: Tokens of each sentence, without special tokens.
        judged: Indices of the sentences to judge, ascending.
        tokens: Tokens of a window.
        before: Neighbours wanted to the left.
        after: Neighbours wanted to the right.
    """
    windows: list[Window] = []
    todo = [index for index in judged if lengths[index] + SPECIALS <= tokens]
    position = 0
    while position < len(todo):
        target = todo[position]
        first, last = target, target + 1
        size = window_length(lengths, first, last)
        # What must stand in the window: the target's neighbours, the nearest first.
        while first > max(0, target - before) and size + lengths[first - 1] + 1 <= tokens:
            first -= 1
            size += lengths[first] + 1
        while last < len(lengths) and size + lengths[last] + 1 <= tokens:
            last += 1
            size += lengths[last - 1] + 1
        end = position + 1
        while end < len(todo) and min(todo[end] + after, len(lengths) - 1) < last:
            end += 1
        # Sentences on the right that serve nobody are left out; one sentence alone gets more context on the left.
        while last - 1 > min(todo[end - 1] + after, len(lengths) - 1):
            last -= 1
            size -= lengths[last] + 1
        if end - position == 1:
            while first > 0 and size + lengths[first - 1] + 1 <= tokens:
                first -= 1
                size += lengths[first] + 1
        windows.append(Window(first, last, tuple(todo[position:end])))
        position = end
    return windows


def pieces(length: int, *, tokens: int) -> list[tuple[int, int]]:
    """Cut a sentence that is longer than a window into token ranges that overlap by half."""
    room = tokens - SPECIALS
    step = max(1, room // 2)
    starts = list(range(0, max(1, length - room + step), step))
    return [(start, min(start + room, length)) for start in starts]

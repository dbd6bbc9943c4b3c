"""Cut a file into slices that may differ in difficulty: what an engineer looks at to find what to mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .predictions import Prediction

TOO_FEW = 30
"""Under this many sentences a figure says nothing."""
MIN_DOCS = 5
"""Under this many articles an interval says nothing either: sentences of one article are right or wrong together."""
MAX_VALUES = 12
"""A slice with more values shows the most frequent ones."""
PLACES = ("position", "n_sentences")
"""Keys of `meta` that are numbers of their own, not slices."""

PRONOUNS = frozenset(
    ("i", "we", "you", "he", "she", "it", "they", "who", "that", "this", "one", "his", "her", "its", "their")
)
_QUOTED = re.compile(r"""["“”„«»]|(?<!\w)['‘]\w.*\w[^\w\s]?['’](?!\w)""", re.DOTALL)
_DESCRIPTION = re.compile(r"(the|that|this|these|those|his|her|their|its)\b", re.IGNORECASE)


def quoted(row: Prediction) -> str:
    """Tell whether the sentence has quotation marks."""
    return "with quotation marks" if _QUOTED.search(row.text) else "without"


def length(row: Prediction) -> str:
    """Tell the sentence's length in words."""
    n = len(row.text.split())
    return "1-9 words" if n < 10 else "10-19 words" if n < 20 else "20-29 words" if n < 30 else "30 words or more"


def position(row: Prediction) -> str | None:
    """Tell where in its article the sentence stands; None where that is unknown."""
    at, n = row.meta.get("position"), row.meta.get("n_sentences")
    if not isinstance(at, int) or not isinstance(n, int):
        return None
    if at == 0:
        return "first"
    return "first third" if 3 * at < n else "second third" if 3 * at < 2 * n else "last third"


def source_words(row: Prediction) -> str | None:
    """Tell whether the sentence's sources are pronouns; None without a gold source."""
    sources = _sources(row)
    if not sources:
        return None
    return "pronoun" if all(source.lower() in PRONOUNS for source in sources) else "name or description"


def needs_context(row: Prediction) -> str | None:
    """Tell whether a sourced sentence can be judged only with those before it; None for the other labels.

    It cannot where it has no source of its own (a quotation that runs on), or only pronouns and definite descriptions
    without a name ("the official").
    """
    sources = _sources(row)
    if sources is None or row.label not in ("attributed", "anonymous"):
        return None
    return "needs context" if all(_refers_back(source) for source in sources) else "stands alone"


SLICES: dict[str, tuple[Callable[[Prediction], str | None], tuple[str, ...]]] = {
    "quotation": (quoted, ("with quotation marks", "without")),
    "length": (length, ("1-9 words", "10-19 words", "20-29 words", "30 words or more")),
    "position": (position, ("first", "first third", "second third", "last third")),
    "source": (source_words, ("pronoun", "name or description")),
    "context": (needs_context, ("needs context", "stands alone")),
}
"""Each slice and its values, in the order to show them."""


def slice_rows(rows: Sequence[Prediction]) -> dict[str, dict[str, list[int]]]:
    """Return, for each slice and each of its values, the indices of its rows.

    Beside `SLICES` every text or yes-or-no field of `meta` is a slice (`genre`, `style`, `desk` …), by what stands
    before its first comma or bracket. A slice of one value only is left out; rows where it is unknown are too.
    """
    columns: dict[str, list[str | None]] = {}
    for key in dict.fromkeys(key for row in rows for key in row.meta if key not in PLACES):
        columns[key] = [_meta(row.meta.get(key)) for row in rows]
    for name, (value_of, _) in SLICES.items():
        columns[name] = [value_of(row) for row in rows]
    slices: dict[str, dict[str, list[int]]] = {}
    docs = [row.doc for row in rows]
    for name, values in columns.items():
        members: dict[str, list[int]] = {}
        for at, value in enumerate(values):
            if value is not None:
                members.setdefault(value, []).append(at)
        if len(members) > 1:
            order = SLICES[name][1] if name in SLICES else ()
            groups = {value: members[value] for value in order if value in members} or _most_frequent(members, docs)
            if len(groups) > 1:  # of many small values only "others" is left
                slices[name] = groups
    return slices


def too_few(n: int, n_docs: int) -> bool:
    """Tell whether a slice has too few sentences or articles for figures."""
    return n < TOO_FEW or n_docs < MIN_DOCS


def n_docs_among(members: Sequence[int], docs: Sequence[str | None]) -> int:
    """Return of how many articles the rows are; a row without one stands for itself."""
    return len({docs[at] for at in members} - {None}) + sum(docs[at] is None for at in members)


def _most_frequent(members: dict[str, list[int]], docs: Sequence[str | None]) -> dict[str, list[int]]:
    """Order values by size; of many, keep the largest that are large enough and put the rest together."""
    enough = {value: not too_few(len(rows), n_docs_among(rows, docs)) for value, rows in members.items()}
    ranked = sorted(members, key=lambda value: -len(members[value]))
    if len(ranked) <= MAX_VALUES:
        return {value: members[value] for value in ranked}
    kept = [value for value in ranked if enough[value]][: MAX_VALUES - 1]
    rest = [value for value in ranked if value not in kept]
    return {value: members[value] for value in kept} | {
        f"{len(rest)} others": sorted(at for value in rest for at in members[value])
    }


def _meta(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return None
    return re.split(r"[,;:/(]", value, maxsplit=1)[0].strip() or None


def _sources(row: Prediction) -> list[str] | None:
    """Return the gold sources' words, None where they are unknown."""
    if row.spans is None:
        return None
    return [row.text[span.start : span.end].strip() for span in row.spans if span.tag == "source"]


def _refers_back(source: str) -> bool:
    if source.lower() in PRONOUNS:
        return True
    opening = _DESCRIPTION.match(source)
    return opening is not None and not any(character.isupper() for character in source[opening.end() :])

"""Split by article: a hash of the article's id decides, so that no later file moves an article.

Eight parts of ten train, one validates, one tests. A row's `doc` decides for all its rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from .records import Article

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def split_of(doc: str) -> Split:
    """Return the split of a document, from the first byte pair of its id's SHA-256."""
    tenth = int.from_bytes(hashlib.sha256(doc.encode()).digest()[:2], "big") * 10 // 65536
    return "validation" if tenth == 8 else "test" if tenth == 9 else "train"


def split_articles(articles: Iterable[Article]) -> dict[Split, list[Article]]:
    """Sort articles into their splits, order kept."""
    parts: dict[Split, list[Article]] = {name: [] for name in SPLITS}
    for article in articles:
        parts[split_of(article.doc)].append(article)
    return parts

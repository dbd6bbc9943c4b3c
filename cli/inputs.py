"""What several commands read alike: labelled data, from marked files, folders and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..data.corpus import bundled_corpus, read_corpus
from ..data.groups import SUFFIX as GROUPS
from ..data.groups import read_groups
from ..data.records import Article, OnrecordError
from ..data.rows import ROW_SUFFIXES, read_rows


def label_table(items: Iterable[str]) -> dict[str, str]:
    """Return the table of `--map THEIRS=OURS`.

    Raises:
        OnrecordError: An item is no `THEIRS=OURS`.
    """
    table = {}
    for item in items:
        theirs, equals, ours = item.partition("=")
        if not (theirs and equals and ours):
            raise OnrecordError(f"--map is '{item}', expected THEIRS=OURS")
        table[theirs] = ours
    return table


def read_labelled(paths: Sequence[Path], *, labels: Mapping[str, str] | None = None) -> list[Article]:
    """Read labelled articles from marked files (`.txt`), folders of them, and rows; without any, the bundled corpus.

    Args:
        paths: The files and folders.
        labels: A table from the rows' own label names to ours.

    Raises:
        OnrecordError: A file is missing, malformed or of another kind, or two articles share an id.
    """
    articles: list[Article] = []
    for path in paths or [bundled_corpus()]:
        if not path.exists():
            raise OnrecordError(f"{path}: no such file or folder")
        if path.suffix == GROUPS or (path.is_dir() and any(path.glob(f"*{GROUPS}"))):
            articles += read_groups(path)
        elif path.is_dir() or path.suffix == ".txt":
            articles += read_corpus(path)
        elif path.suffix in ROW_SUFFIXES:
            articles += read_rows(path, labels=labels)
        else:
            raise OnrecordError(f"{path}: labelled data is read from .txt (marked corpus), {', '.join(ROW_SUFFIXES)}")
    seen: set[str] = set()
    for article in articles:
        if article.id in seen:
            raise OnrecordError(
                f"id '{article.id}' stands twice in the data; ids tell sentences apart, so make them differ"
            )
        seen.add(article.id)
    return articles


def data_hashes(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file, a folder's marked files one by one."""
    files: list[Path] = []
    for path in paths or [bundled_corpus()]:
        files += sorted([*path.glob("*.txt"), *path.glob(f"*{GROUPS}")]) if path.is_dir() else [path]
    hashes = {}
    for file in files:
        name = file.name if file.name not in hashes else str(file)
        with file.open("rb") as stream:
            hashes[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


def data_hash(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of a single file, or of the hashes of several."""
    hashes = data_hashes(paths)
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    return hashlib.sha256("".join(hashes.values()).encode()).hexdigest()

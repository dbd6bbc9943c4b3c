"""Check labelled files as a whole: every error of every file, and what only several files together can show.

The strict readers stop at the first error; here they go on behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .corpus import marked_files, read_corpus_file
from .records import Article
from .rows import ROW_SUFFIXES, read_rows


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found."""

    errors: tuple[str, ...]
    """Each a line, `file:line: message` where a line can be named."""
    articles: tuple[Article, ...]
    """What is sound."""
    n_files: int


def check_data(paths: Sequence[Path]) -> Findings:
    """Check marked files (`.txt`), folders of them, and files of rows.

    Besides what the strict readers refuse, an error is: evidence in a row that contradicts its label or overlaps, an id
    that stands twice, an article that stands in two files (so that training on one and testing on the other would
    leak), and data of a single label, which nothing can be trained on.
    """
    errors: list[str] = []
    files: dict[Path, Path] = {}
    for path in paths:
        found = marked_files(path)
        if not found:
            errors.append(f"{path}: no *.txt files in this folder")
        files |= {file.resolve(): file for file in found}
    articles: list[Article] = []
    ids: dict[str, Path] = {}
    docs: dict[str, Path] = {}
    for file in files.values():
        held = _read(file, errors)
        errors += _shared(file, held, ids, docs)
        articles += held
    labels = [article.sentences[index].label for article in articles for index in article.judged]
    labelled = [label for label in labels if label is not None]
    if len(labelled) > 1 and len(set(labelled)) == 1:
        where = ", ".join(str(file) for file in files.values())
        errors.append(f"{where}: all {len(labelled)} labelled sentences are '{labelled[0]}'; training needs two labels")
    return Findings(tuple(errors), tuple(articles), len(files))


def _read(file: Path, errors: list[str]) -> list[Article]:
    if not file.exists():
        errors.append(f"{file}: no such file or folder")
        return []
    if file.suffix == ".txt":
        return read_corpus_file(file, errors=errors)
    if file.suffix in ROW_SUFFIXES:
        return read_rows(file, errors=errors)
    errors.append(f"{file}: labelled data is read from .txt (marked corpus), {', '.join(ROW_SUFFIXES)}")
    return []


def _shared(file: Path, articles: list[Article], ids: dict[str, Path], docs: dict[str, Path]) -> list[str]:
    """Say what of a file stands in an earlier one too, or twice in itself; note its own ids."""
    errors = []
    own = {article.doc for article in articles}
    for other in sorted({docs[doc] for doc in own if doc in docs}):
        both = sorted(doc for doc in own if docs.get(doc) == other)
        errors.append(
            f"{file}: article '{both[0]}'{f' and {len(both) - 1} more stand' if both[1:] else ' stands'} in {other} "
            "too; an article belongs in one file, or what is trained on it cannot be tested on it"
        )
    seen: set[str] = set()
    for article in articles:
        if article.id in seen:
            if file.suffix == ".txt":  # its reader has said so, with the line
                continue
            errors.append(f"{file}: id '{article.id}' stands twice; ids tell sentences apart")
        elif article.id in ids and docs.get(article.doc) != ids[article.id]:
            errors.append(f"{file}: id '{article.id}' stands in {ids[article.id]} too; ids tell sentences apart")
        seen.add(article.id)
    ids |= dict.fromkeys(seen, file)
    docs |= {doc: file for doc in own if doc not in docs}
    return errors

"""Read groups of rows that belong together: they differ in what decides their label, or only in what must not.

    # context: shut-gate
    - Ada Moss, the warden, came at noon.
    attributed | {s:She} {c:said} the gate was shut.
    - A woman who would not give her name came at noon.
    anonymous | {a:She} {c:said} the gate was shut.

`# contrast: name` opens a group of rows with different texts or labels, `# context: name` one whose rows share their
text and differ by context alone, `# invariance: name` one whose label must stay. A row is a line of the marked corpus;
above it stand the sentences before it (`- …`), below it those after it (`+ …`). `##` opens a comment. The file's name
is the phenomenon.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .corpus import check_evidence, parse_marked
from .labels import LABELS
from .records import Article, OnrecordError, Sentence

SUFFIX = ".groups"
GROUP_KINDS = ("contrast", "context", "invariance")


def read_groups(path: Path) -> list[Article]:
    """Read a file of groups, or every `*.groups` of a folder in the order of their names.

    Returns:
        A row each: its context and one judged sentence. `doc` is the group; `meta` has `phenomenon`, `group`, and
        `by_context` and `invariance`, which are "True" or "False".

    Raises:
        OnrecordError: With file, line, what was found and what is allowed.
    """
    files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not files:
        raise OnrecordError(f"{path}: no *{SUFFIX} files in this folder")
    rows: list[Article] = []
    opened: set[str] = set()
    for file in files:
        rows += _read_file(file, opened)
    return rows


def _read_file(path: Path, opened: set[str]) -> list[Article]:
    """Read one file; `opened` collects the names of its groups, none of which may stand there already."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise OnrecordError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise OnrecordError(f"{path}: {error.strerror}") from error
    rows: list[Article] = []
    before: list[Sentence] = []
    group: dict[str, str] = {}
    size = 0  # rows of the group so far
    # The last, empty head closes the last group.
    for number, line in enumerate([*lines, "#"], 1):
        try:
            if line.startswith("##") or not line.strip():
                continue
            if line.startswith("#"):
                if group and before:
                    raise ValueError(f"group '{group['group']}' ends with sentences before no row")
                if group and size < 2:
                    raise ValueError(f"group '{group['group']}' ends with {size} of its 2 or more rows")
                if number <= len(lines):
                    group, size = _head(line, path.stem, opened), 0
            elif not group:
                raise ValueError(f"found '{line[:40]}', expected '# contrast: name' before anything else")
            elif line.startswith("- "):
                before.append(Sentence(line[2:]))
            elif line.startswith("+ "):
                if not size or before:
                    raise ValueError("a line '+ …' stands below the row that it follows")
                rows[-1] = replace(rows[-1], sentences=(*rows[-1].sentences, Sentence(line[2:])))
            else:
                size += 1
                name = group["group"]
                rows.append(Article(f"{name}.{size}", name, (*before, _judged(line)), (len(before),), dict(group)))
                before = []
        except ValueError as error:
            raise OnrecordError(f"{path}:{min(number, len(lines))}: {error}") from error
    if not rows:
        raise OnrecordError(f"{path}: no rows; expected '# contrast: name' and lines 'label | text'")
    return rows


def _head(line: str, phenomenon: str, opened: set[str]) -> dict[str, str]:
    kind, _, name = (part.strip() for part in line[1:].partition(":"))
    if kind not in GROUP_KINDS or not name:
        raise ValueError(f"found '{line[:40]}', expected '# kind: name' with a kind of {', '.join(GROUP_KINDS)}")
    if name in opened:
        raise ValueError(f"group '{name}' stands twice; names must differ over all files")
    opened.add(name)
    flags = {"by_context": str(kind == "context"), "invariance": str(kind == "invariance")}
    return {"phenomenon": phenomenon, "group": name} | flags


def _judged(line: str) -> Sentence:
    name, bar, marked = line.partition(" | ")
    label = next((label for label in LABELS if label == name), None)
    if not bar or label is None:
        raise ValueError(
            f"found '{name[:40]}', expected '- ', '+ ' or 'label | text' with a label of {', '.join(LABELS)}"
        )
    text, spans = parse_marked(marked)
    check_evidence(label, spans)
    if not text.strip():
        raise ValueError("the sentence is empty")
    return Sentence(text, label, spans)

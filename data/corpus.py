"""Read and write the marked corpus: one sentence a line, `label | text`, evidence in braces.

`anonymous | {a:Two aides} {c:said} no.` → text `Two aides said no.`, label `anonymous`,
spans `source` 0–9 (unidentified) and `cue` 10–14.

`{s:…}` is an identified source, `{a:…}` an unidentified one, `{c:…}` a cue, `{h:…}` a hedge. A blank line ends a
paragraph; `# id:`, `# genre:`, `# style:` and `# region:` head an article; `##` opens a comment. Marks do not nest, and
a text cannot hold a brace of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path

from .labels import LABELS, Kind, Label, Tag
from .records import Article, OnrecordError, Sentence, Span, report

MARKS: dict[str, tuple[Tag, Kind | None]] = {
    "s": ("source", "identified"),
    "a": ("source", "unidentified"),
    "c": ("cue", None),
    "h": ("hedge", None),
}
FIELDS = ("id", "genre", "style", "region")
_BRACE = re.compile(r"\{(?:(\w+):)?|\}")
_HEAD = re.compile(r"#\s*id\s*:")


def bundled_corpus() -> Path:
    """Return the folder of the corpus that ships with the package."""
    return Path(str(resources.files(__package__) / "corpus"))


def parse_marked(marked: str) -> tuple[str, tuple[Span, ...]]:
    """Split a marked sentence into its plain text and its spans.

    Raises:
        ValueError: A brace is unbalanced, nested, of an unknown mark, or covers nothing.
    """
    plain: list[str] = []
    spans: list[Span] = []
    position = length = 0
    opened: tuple[int, str] | None = None
    for brace in _BRACE.finditer(marked):
        plain.append(marked[position : brace.start()])
        length += brace.start() - position
        position = brace.end()
        if brace.group().startswith("{"):
            mark = brace.group(1)
            if mark not in MARKS:
                raise ValueError(f"found '{brace.group()}', allowed are {', '.join('{' + m + ':' for m in MARKS)}")
            if opened is not None:
                raise ValueError(f"'{brace.group()}' opens inside another mark; marks do not nest")
            opened = (length, mark)
        else:
            if opened is None:
                raise ValueError("found '}' without a mark that it closes")
            start, mark = opened
            if start == length:
                raise ValueError(f"mark '{{{mark}:}}' covers no text")
            tag, kind = MARKS[mark]
            spans.append(Span(start, length, tag, kind))
            opened = None
    if opened is not None:
        raise ValueError(f"mark '{{{opened[1]}:' is never closed")
    plain.append(marked[position:])
    return "".join(plain), tuple(spans)


def format_marked(text: str, spans: Iterable[Span]) -> str:
    """Write spans back into their text: the inverse of `parse_marked`."""
    names = {value: mark for mark, value in MARKS.items()}
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        mark = names[span.tag, (span.kind or "identified") if span.tag == "source" else None]
        text = f"{text[: span.start]}{{{mark}:{text[span.start : span.end]}}}{text[span.end :]}"
    return text


def check_evidence(label: Label, spans: tuple[Span, ...]) -> None:
    """Refuse evidence that contradicts its label.

    Raises:
        ValueError: What contradicts it.
    """
    if label == "none" and spans:
        raise ValueError("a sentence labelled 'none' carries no marks")
    if label != "unverified" and any(span.tag == "hedge" for span in spans):
        raise ValueError(f"'{{h:' in a sentence labelled '{label}'; hedges are marked in 'unverified' only")
    if label == "attributed" and any(span.kind == "unidentified" for span in spans):
        raise ValueError("'{a:' in a sentence labelled 'attributed'; an unidentified source makes it 'anonymous'")


def _parse_line(line: str, opens_paragraph: bool) -> Sentence:
    name, bar, marked = line.partition(" | ")
    label = next((label for label in LABELS if label == name), None)
    if not bar or label is None:
        raise ValueError(f"found '{name[:40]}', expected 'label | text' with a label of {', '.join(LABELS)}")
    text, spans = parse_marked(marked)
    if not text.strip():
        raise ValueError("the sentence is empty")
    check_evidence(label, spans)
    return Sentence(text, label, spans, opens_paragraph)


def read_corpus_file(path: Path, *, errors: list[str] | None = None) -> list[Article]:
    """Read one marked file.

    Args:
        path: The file.
        errors: Where given, every error is appended to it, and what is sound is read on and returned.

    Raises:
        OnrecordError: With file, line, what was found and what is allowed.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        report(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8", errors)
        return []
    except OSError as error:
        report(f"{path}: {error.strerror}", errors)
        return []

    def note(number: int, message: str) -> None:
        report(f"{path}:{number}: {message}", errors)

    heads = [number for number, line in enumerate(lines, 1) if _HEAD.match(line)]
    first = heads[0] if heads else len(lines) + 1
    for number, line in enumerate(lines[: first - 1], 1):
        if line.strip() and not line.startswith("##"):
            note(number, f"found '{line[:40]}', expected '# id:' before anything else of an article")
            break
    articles: list[Article] = []
    seen: dict[str, int] = {}
    for head, following in pairwise([*heads, len(lines) + 1]):
        article = _parse_article(lines[head - 1 : following - 1], head, desk=path.stem, note=note)
        if article is not None:
            if article.id in seen:
                note(head, f"article id '{article.id}' stands in line {seen[article.id]} too; ids must differ")
            seen[article.id] = head
            articles.append(article)
    if not heads:
        report(f"{path}: no articles; expected '# id:' and lines 'label | text'", errors)
    return articles


def _parse_article(lines: list[str], first: int, *, desk: str, note: Callable[[int, str], None]) -> Article | None:
    """Parse an article's lines, the first of which is `# id:`; None where nothing of it is left."""
    head: dict[str, str] = {}
    sentences: list[Sentence] = []
    opens, empty = True, True
    for number, line in enumerate(lines, first):
        if line.startswith("##"):
            continue
        if line.startswith("#"):
            name, colon, value = (part.strip() for part in line[1:].partition(":"))
            if not colon or name not in FIELDS or not value:
                note(number, f"found '{line[:40]}', expected '# name: value' with a name of {', '.join(FIELDS)}")
            elif not empty:
                note(number, f"'# {name}:' stands after the article's first sentence")
            elif name in head:
                note(number, f"'# {name}:' stands twice in one article")
            else:
                head[name] = value
        elif not line.strip():
            opens = True
        else:
            empty = False
            try:
                sentences.append(_parse_line(line, opens))
            except ValueError as error:
                note(number, str(error))
            opens = False
    if empty:
        note(first, f"article '{head.get('id', '')}' has no sentences")
    if "id" not in head or not sentences:
        return None
    meta = {name: head[name] for name in FIELDS[1:] if name in head} | {"desk": desk}
    return Article(head["id"], head["id"], tuple(sentences), tuple(range(len(sentences))), meta)


def marked_files(path: Path) -> list[Path]:
    """Return a marked file itself, or every `*.txt` of a folder in the order of their names."""
    return sorted(path.glob("*.txt")) if path.is_dir() else [path]


def read_corpus(path: Path) -> list[Article]:
    """Read a marked file, or every `*.txt` of a folder in the order of their names.

    Raises:
        OnrecordError: A file is malformed, the folder holds none, or two articles share an id.
    """
    files = marked_files(path)
    if not files:
        raise OnrecordError(f"{path}: no *.txt files in this folder")
    articles: list[Article] = []
    where: dict[str, Path] = {}
    for file in files:
        for article in read_corpus_file(file):
            if article.id in where:
                raise OnrecordError(f"{file}: article id '{article.id}' stands in {where[article.id]} too")
            where[article.id] = file
            articles.append(article)
    return articles


def article_text(article: Article) -> tuple[str, list[tuple[int, int]]]:
    """Join an article's sentences, a space between them and a blank line between paragraphs.

    Returns:
        The text and each sentence's offsets in it.
    """
    parts: list[str] = []
    offsets: list[tuple[int, int]] = []
    length = 0
    for sentence in article.sentences:
        if parts:
            gap = "\n\n" if sentence.opens_paragraph else " "
            parts.append(gap)
            length += len(gap)
        offsets.append((length, length + len(sentence.text)))
        parts.append(sentence.text)
        length += len(sentence.text)
    return "".join(parts), offsets


def paragraphs(article: Article) -> Iterator[tuple[Sentence, ...]]:
    """Yield the article's paragraphs."""
    current: list[Sentence] = []
    for sentence in article.sentences:
        if sentence.opens_paragraph and current:
            yield tuple(current)
            current = []
        current.append(sentence)
    if current:
        yield tuple(current)

"""Scored articles as tables for a terminal, readable from 80 columns on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..data.caution import FOREIGN, MEANING, WEAK
from ..data.labels import KINDS, LABELS, TAGS, Kind, Label
from ..data.read import ReadFailure
from .writers import COUNTS, Tally

if TYPE_CHECKING:
    from ..model.scored import ModelId, ScoredArticle, ScoredSentence
    from .writers import Result

SIGNS: dict[Label, str] = {"attributed": "●", "anonymous": "○", "unverified": "?", "none": "·"}
STYLES: dict[Label, str] = {"attributed": "blue", "anonymous": "magenta", "unverified": "yellow", "none": "dim"}
WIDTH = 100
"""Columns of a table that goes to no terminal."""


def visible(text: str) -> str:
    """Return a text that cannot steer a terminal: control characters become spaces, or a replacement character."""
    return "".join(
        " "
        if char in "\t\r\n"
        else "\ufffd"
        if unicodedata.category(char) in ("Cc", "Cf") and char != "\u200d"
        else char
        for char in text
    )


def _render(console: Console, item: RenderableType) -> str:
    with console.capture() as captured:
        console.print(item)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def write_table(
    results: Iterable[Result], tally: Tally, *, summary: bool = False, console: Console | None = None
) -> Iterator[str]:
    """Write a table an article; a summary is one table with a line an article and a total."""
    console = console or Console(width=WIDTH, force_terminal=False)
    scored = (result for result in results if not isinstance(result, ReadFailure))
    if summary:
        yield _render(console, _summary_table(scored, tally, width=console.width))
        return
    model: ModelId | None = None
    for article in scored:
        model = article.model
        yield _render(console, article_table(article))
    if model:
        yield _render(console, _footer(model))


def _shares(counts: dict[str, int]) -> Text:
    line = Text(f"{counts['sentences']} sentences", style="bold")
    for label in LABELS:
        line.append(f"  {SIGNS[label]} {label} {counts[label]}", STYLES[label])
    if counts["abstained"]:
        line.append(f"  {counts['abstained']} unsure")
    return line


def _footer(model: ModelId) -> Text:
    return Text(f"{MEANING} {WEAK} Model {model.name}, {model.sha256[:12]}.", style="dim")


def article_table(article: ScoredArticle) -> Group:
    """Return an article's sentences with labels and evidence, its sources, and the words of caution."""
    parts: list[RenderableType] = [Text(visible(article.id), style="bold"), _shares(article.summary)]
    if article.language != "en":
        parts.append(Text(FOREIGN, style="bold red"))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=True)
    table.add_column("", justify="right", style="dim")
    table.add_column("label", no_wrap=True)
    table.add_column("p", justify="right")
    table.add_column("sentence, and what the label rests on", ratio=1)
    for sentence in article.sentences:
        label = Text(f"{SIGNS[sentence.label]} {sentence.label}", STYLES[sentence.label])
        sure = Text(f"{sentence.confidence:.2f}{'?' if sentence.abstained else ' '}")
        table.add_row(str(sentence.index + 1), label, sure, _sentence(sentence))
    parts.append(table)
    parts += [line for kind in KINDS if (line := _sources(article, kind)) is not None]
    if any(sentence.abstained for sentence in article.sentences):
        parts.append(Text("? behind a probability: too unsure to decide; the label is a guess.", style="dim"))
    return Group(*parts, Text())


def _sentence(sentence: ScoredSentence) -> Text:
    text = Text(visible(sentence.text), style="dim" if sentence.label == "none" else "")
    for span in sentence.evidence:
        style = {"source": "underline", "cue": "bold", "hedge": "italic"}[span.tag]
        text.stylize(style, span.start - sentence.start, span.end - sentence.start)
    words = {tag: [visible(span.text) for span in sentence.evidence if span.tag == tag] for tag in TAGS}
    found = " · ".join(f"{tag}: {', '.join(texts)}" for tag, texts in words.items() if texts)
    if found:
        text.append(f"\n{found}", "dim")
    return text


def _sources(article: ScoredArticle, kind: str) -> Text | None:
    sources = [source for source in article.sources if source.kind == kind]
    if not sources:
        return None
    line = Text(f"{kind.capitalize()} sources ({len(sources)}): ", style="bold")
    for position, source in enumerate(sources):
        numbers = ", ".join(str(index + 1) for index in source.sentences)
        line.append(f"{'; ' if position else ''}{visible(source.name)}", "")
        line.append(f" [{numbers}]", "dim")
    return line


def _summary_table(articles: Iterable[ScoredArticle], tally: Tally, *, width: int) -> Group:
    names = COUNTS if width >= 95 else COUNTS[:4]
    room = width - (76 if width >= 95 else 57)  # what the numbers leave
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_footer=True)
    table.add_column("article", no_wrap=True)
    for name in names:
        label = next((label for label in LABELS if label == name), None)
        heading = "unsure" if name == "abstained" else name
        table.add_column(heading, justify="right", no_wrap=True, style=STYLES[label] if label else "")
    table.add_column("sources", justify="right", no_wrap=True)
    model: ModelId | None = None
    n_sources: Counter[Kind] = Counter()
    for article in articles:
        model = article.model
        sources = Counter(source.kind for source in article.sources)
        n_sources.update(sources)
        id_ = visible(article.id) + ("" if article.language == "en" else "*")
        table.add_row(
            id_ if len(id_) <= room else f"…{id_[1 - room :]}", *_cells(article.summary, names), _pair(sources)
        )
    total = (f"total of {tally.articles}", *_cells(tally.to_dict(), names), _pair(n_sources))
    for column, cell in zip(table.columns, total, strict=True):
        column.footer = cell
    parts: list[RenderableType] = [table]
    parts.append(Text("sources: identified + unidentified, each counted once an article", style="dim"))
    if tally.foreign:
        parts.append(Text(f"* not English, as it seems: {tally.foreign}", style="dim"))
    if tally.failed:
        parts.append(Text(f"{tally.failed} {'input' if tally.failed == 1 else 'inputs'} failed", style="bold red"))
    return Group(*parts, *([_footer(model)] if model else []))


def _cells(counts: dict[str, int], names: Iterable[str]) -> Iterator[str]:
    """Return counts as they stand in a row, the labels' with their share."""
    for name in names:
        share = f" {counts[name] / (counts['sentences'] or 1):4.0%}" if name in LABELS else ""
        yield f"{counts[name]}{share}"


def _pair(sources: Counter[Kind]) -> str:
    return " + ".join(str(sources[kind]) for kind in KINDS)

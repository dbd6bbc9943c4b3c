"""Scored articles as one web page: the article as prose, its claims marked, and above it what it rests on.

The page is one file without scripts: hovering, tapping and the keyboard's focus open a sentence's probabilities by CSS.
Everything that comes from an article is escaped by the template, and the page's policy forbids it to load anything.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from ..data.caution import FOREIGN, MEANING, NOT_THIS, WEAK
from ..data.labels import KINDS, LABELS, Kind, Label, Tag
from .scored import ScoredArticle, ScoredSentence, Source

SIGNS: dict[Label, str] = {"attributed": "●", "anonymous": "○", "unverified": "?", "none": "·"}
"""Beside colour and name: filled, an outline, a question, hardly there."""
IN_ONE_LINE: dict[Label, str] = {
    "attributed": "claimed by a source that the article identifies",
    "anonymous": "claimed by a source that no reader could look up",
    "unverified": "claimed by nobody, or marked as not established",
    "none": "the article’s own narration, questions, opinion",
}
HEADLINE_CHARACTERS = 160
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence, evidence or not."""

    text: str
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A judged sentence, or text between two of them (`sentence` is None)."""

    pieces: tuple[Piece, ...]
    sentence: ScoredSentence | None = None
    space: str = ""
    """What parts it from the passage before."""


@dataclass(frozen=True, slots=True)
class Page:
    """An article as the template needs it."""

    number: int
    article: ScoredArticle
    headline: tuple[Passage, ...]
    """The first paragraph, where it looks like a headline; else empty."""
    paragraphs: tuple[tuple[Passage, ...], ...]

    @property
    def title(self) -> str:
        """Return the headline, or how the text begins."""
        headline = "".join(piece.text for passage in self.headline for piece in passage.pieces)
        return headline or textwrap.shorten(self.article.text[:1000], 100, placeholder=" …") or self.article.id

    @property
    def words(self) -> tuple[str, str]:
        """Return what the article rests on: in a line, and at some length."""
        return in_words(self.article.summary, self.article.sources)

    def sources(self, kind: Kind) -> list[Source]:
        """Return the sources of a kind, those cited most often first."""
        return sorted((s for s in self.article.sources if s.kind == kind), key=lambda s: -len(s.sentences))


def render_html(articles: Sequence[ScoredArticle], failures: Sequence[tuple[str, str]] = ()) -> str:
    """Return one web page that shows scored articles, and names the inputs that failed with the reason."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["percent"] = percent
    environment.globals.update(
        labels=LABELS, kinds=KINDS, signs=SIGNS, one_line=IN_ONE_LINE, meaning=MEANING, not_this=NOT_THIS, weak=WEAK
    )
    template = environment.from_string((resources.files(__package__) / "view.html").read_text(encoding="utf-8"))
    pages = [to_page(number, article) for number, article in enumerate(articles, 1)]
    models = list(dict.fromkeys(article.model for article in articles))
    total: Counter[str] = Counter()
    for article in articles:
        total.update(article.summary)
    return template.render(pages=pages, models=models, total=total, foreign=FOREIGN, failures=failures)


def percent(share: float) -> str:
    """Return a share as whole percents, with neither 0 nor 100 for what is not quite: `0.996` → `>99%`."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def to_page(number: int, article: ScoredArticle) -> Page:
    """Cut an article into paragraphs of passages; put together again they are its text, but for white space."""
    paragraphs = [tuple(paragraph) for paragraph in _paragraphs(article)]
    first = paragraphs[0] if len(paragraphs) > 1 else ()
    text = "".join(piece.text for passage in first for piece in passage.pieces)
    is_headline = len(first) == 1 and len(text) <= HEADLINE_CHARACTERS and not re.search(r"[-–—.:;,…]\W*$", text)
    return Page(number, article, first if is_headline else (), tuple(paragraphs[is_headline:]))


def _paragraphs(article: ScoredArticle) -> Iterator[list[Passage]]:
    """Yield paragraphs: parted by blank lines or, in a text that has none, by line ends."""
    parting = _BLANK_LINE if _BLANK_LINE.search(article.text) else re.compile(r"\n")
    current: list[Passage] = []
    position = 0
    for sentence in (*article.sentences, None):
        start = len(article.text) if sentence is None else sentence.start
        blocks = parting.split(article.text[position:start])
        for order, block in enumerate(blocks):
            if order and current:
                yield current
                current = []
            if block.strip():
                current.append(Passage((Piece(block.strip()),), space=" " if block[0].isspace() else ""))
        if sentence is not None:
            space = " " if article.text[max(0, sentence.start - 1) : sentence.start].isspace() else ""
            current.append(Passage(tuple(_pieces(article.text, sentence)), sentence, space))
            position = sentence.end
    if current:
        yield current


def _pieces(text: str, sentence: ScoredSentence) -> Iterator[Piece]:
    position = sentence.start
    for span in sorted(sentence.evidence, key=lambda span: span.start):
        if span.start < position:
            continue  # spans do not overlap; were they to, the text must still be shown once
        if span.start > position:
            yield Piece(text[position : span.start])
        yield Piece(text[span.start : span.end], span.tag)
        position = span.end
    if position < sentence.end:
        yield Piece(text[position : sentence.end])


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def in_words(summary: dict[str, int], sources: Iterable[Source]) -> tuple[str, str]:
    """Say what an article rests on: in a line, and at some length.

    `{"sentences": 5, "attributed": 3, "anonymous": 1, …}` → `Mostly on identified sources.` and
    `4 of 5 sentences report a claim. 3 rest on 2 identified sources, …`
    """
    named, unnamed, nobody = summary["attributed"], summary["anonymous"], summary["unverified"]
    claims = named + unnamed + nobody
    if not claims:
        return "On its own voice", "No sentence reports a claim of somebody else, or marks one as not established."
    sources = list(sources)
    n_identified = sum(source.kind == "identified" for source in sources)
    n_unidentified = len(sources) - n_identified
    parts = []
    if named:
        by = f" on {_count(n_identified, 'identified source')}" if n_identified else " on identified sources"
        parts.append(f"{_rests(named)}{by}")
    if unnamed:
        by = f" on {_count(n_unidentified, 'source')}" if n_unidentified else " on sources"
        parts.append(f"{_rests(unnamed)}{by} that the article does not identify")
    if nobody:
        parts.append(
            f"{_rests(nobody)} on nobody: what {'it says' if nobody == 1 else 'they say'} is marked as not established"
        )
    head = f"{claims} of {_count(summary['sentences'], 'sentence')} {'reports' if claims == 1 else 'report'} a claim. "
    text = head + (", ".join(parts[:-1]) + ", and " + parts[-1] if len(parts) > 1 else parts[0]) + "."
    return _in_a_line(named, unnamed, nobody), text


def _rests(number: int) -> str:
    return f"{number} {'rests' if number == 1 else 'rest'}"


def _in_a_line(named: int, unnamed: int, nobody: int) -> str:
    claims = named + unnamed + nobody
    most, what = max(
        (named, "on identified sources"), (unnamed, "on unidentified sources"), (nobody, "on what nobody stands behind")
    )
    if most <= claims / 2:
        return "On a mixture of sources"
    return f"{'Wholly' if most == claims else 'Mostly'} {what}"

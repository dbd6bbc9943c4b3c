"""The web page of scored articles."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from onrecord.data.corpus import bundled_corpus, read_corpus_file
from onrecord.model.scored import Evidence, ScoredArticle, ScoredSentence, Source
from onrecord.model.view import in_words, percent, render_html, to_page

from .standin import MODEL, CueScorer, from_gold, probabilities

TEXT = "Bridge shut\n\nTwo aides said no. Ana Ruiz said yes.\n\nIt reportedly fell."
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Reader(HTMLParser):
    """Reads a page: its tags, ids, and the text of its articles without marks and notes."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.tags.append(tag)
        self.attributes += attrs
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag not in VOID:
            self.stack.append((tag, values.get("class") or ""))
        if tag in ("p", "h1") and self._in_prose():
            self.text += "\n\n"

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        assert self.stack.pop()[0] == tag

    def handle_data(self, data: str) -> None:  # noqa: D102
        names = {name for _, classes in self.stack for name in classes.split()}
        if self._in_prose() and not names & {"mark", "tip"} and self.stack[-1][0] in ("p", "h1", "span"):
            self.text += data

    def _in_prose(self) -> bool:
        return ("section", "prose") in self.stack


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return reader


def test_the_page_shows_the_text_once_with_its_paragraphs() -> None:
    reader = read(render_html([CueScorer().score(TEXT, id="a.txt")]))
    assert reader.text.strip() == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "One line said Ana.\nAnother line, and no blank one.",
        "A hard\nwrapped line said Bo.\nIt goes\non.\n\nA second paragraph.",
        "Emoji 🚒 said Bo. Combining e\u0301.\r\n\r\nWindows lines.",
        "One",
        "…",
    ],
)
def test_no_character_of_the_text_is_lost(text: str) -> None:
    reader = read(render_html([CueScorer().score(text)]))
    assert "".join(reader.text.split()) == "".join(text.split())


def test_text_between_judged_sentences_is_shown_as_context() -> None:
    article = CueScorer().score(TEXT)
    article = replace(article, sentences=article.sentences[2:3])
    page = render_html([article])
    assert read(page).text.split() == TEXT.split()
    assert '<span class="context">Bridge shut</span>' in page


def test_a_claim_is_marked_by_name_and_sign_and_not_by_colour_alone() -> None:
    page = render_html([CueScorer().score(TEXT)])
    marks = [re.sub(r"<[^>]*>", "", mark) for mark in re.findall(r'<span class="mark">(.*?)</span><', page + "<")]
    found = re.findall(r'<span class="mark"><span class="n">(\d+)</span> <i>(.)</i> ([\w, ]+)</span>', page)
    assert len(marks) == len(found)
    assert found == [("2", "○", "anonymous"), ("3", "●", "attributed"), ("4", "?", "unverified")]


def test_evidence_is_underlined_by_tag() -> None:
    page = render_html([CueScorer().score(TEXT)])
    assert '<span class="e source">Two aides</span> <span class="e cue">said</span> no.' in page
    assert '<span class="e hedge">reportedly</span>' in page


def test_every_sentence_can_be_focused_and_described() -> None:
    reader = read(render_html([CueScorer().score(TEXT), CueScorer().score(TEXT)]))
    assert reader.attributes.count(("tabindex", "0")) == 8
    described = [value for name, value in reader.attributes if name == "aria-describedby"]
    assert set(described) <= set(reader.ids)
    assert len(set(reader.ids)) == len(reader.ids)


def test_every_link_leads_to_a_place_in_the_page() -> None:
    reader = read(
        render_html([from_gold(article) for article in read_corpus_file(bundled_corpus() / "agency.txt")[:3]])
    )
    assert reader.links
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = render_html([CueScorer().score(TEXT)])
    assert "default-src 'none'" in page
    assert not {"script", "link", "img", "iframe", "object"} & set(read(page).tags)
    assert not re.search(r"url\(|@import|https?://", page)


EVIL = '<script>alert(1)</script> "><img src=x onerror=alert(2)> {{ 7 * 7 }} <b> &amp; said Bo'


def test_what_comes_from_an_article_is_escaped() -> None:
    scored = CueScorer().score(f"{EVIL}.\n\nTwo aides said no.", id=EVIL)
    first = scored.sentences[0]
    first = replace(
        first, label="attributed", evidence=(Evidence("source", 0, 25, scored.text[:25], 0.9, "identified"),)
    )
    scored = replace(
        scored,
        sentences=(first, *scored.sentences[1:]),
        sources=(Source(EVIL, "identified", (0,)),),
        model=replace(MODEL, name=EVIL),
    )
    page = render_html([scored, scored])
    reader = read(page)
    assert not {"script", "img", "b"} & set(reader.tags) - {"b"}
    assert reader.tags.count("b") == 1  # the page's own
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert "49" not in page
    assert html.unescape(reader.text).count("alert(2)") == 2


def test_an_abstained_sentence_says_so_and_keeps_its_probabilities() -> None:
    sentence = ScoredSentence(0, 0, 8, "Bo said.", "attributed", probabilities("attributed", 0.4), (), True)
    page = render_html([ScoredArticle("a", "Bo said.", MODEL, "en", (sentence,))])
    assert "attributed, unsure" in page
    assert "attributed, 40%: too unsure to call" in page
    assert "1 sentence is marked" in page
    assert page.count('<span class="value">20%</span>') == 3


def test_another_language_gives_a_warning() -> None:
    german = "Der Bürgermeister sagte am Freitag, dass die Brücke in der Nacht gesperrt worden sei, weil es brenne."
    assert "does not look like English" in render_html([CueScorer().score(german)])
    assert "does not look like English" not in render_html([CueScorer().score(TEXT)])


def test_every_page_says_what_it_is_not_and_which_model_wrote_it() -> None:
    page = render_html([CueScorer().score(TEXT)])
    for words in ("not whether it is true", "Unverified is not false", "Attributed is not right", "SHA-256", "5" * 64):
        assert words in page


def test_several_articles_open_with_their_contents() -> None:
    page = render_html([CueScorer().score(TEXT, id="a.txt"), CueScorer().score("Bo said yes.", id="b.txt")])
    reader = read(page)
    assert [link for link in reader.links if "-s" not in link] == ["#a1", "#a2"]
    assert "<h1>2 articles</h1>" in page
    assert ">Bridge shut</a>" in page
    assert ">Bo said yes.</a>" in page
    assert 'aria-label="Contents"' not in render_html([CueScorer().score(TEXT)])


def test_the_contents_and_the_head_say_what_not_to_rely_on() -> None:
    german = "Der Bürgermeister sagte am Freitag, dass die Brücke in der Nacht gesperrt worden sei, weil es brenne."
    page = render_html([CueScorer().score(TEXT), CueScorer().score(german, id="b.txt")], [("c.txt", "no <text>")])
    assert page.count("not English, as it seems") == 1
    assert "b.txt · On its own voice · not English" in page
    assert "<li>c.txt: no &lt;text&gt;</li>" in page
    assert "What is missing" not in render_html([CueScorer().score(TEXT)])


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("Bridge shut\n\nBo said so.", True),
        ("Will it open?\n\nBo said so.", True),
        ("Bridge shut.\n\nBo said so.", False),
        ("Rome, May 3 (AFP) -\n\nBo said so.", False),
        ("Bridge shut", False),
        (f"Bridge {'long ' * 40}\n\nBo said so.", False),
    ],
)
def test_a_first_paragraph_that_looks_like_a_headline_is_set_as_one(text: str, headline: bool) -> None:
    page = to_page(1, CueScorer().score(text))
    assert bool(page.headline) is headline


def summary(attributed: int, anonymous: int, unverified: int, none: int = 0) -> dict[str, int]:
    return {
        "sentences": attributed + anonymous + unverified + none,
        "attributed": attributed,
        "anonymous": anonymous,
        "unverified": unverified,
        "none": none,
        "abstained": 0,
    }


@pytest.mark.parametrize(
    ("counts", "line", "text"),
    [
        (
            summary(3, 1, 1, 5),
            "Mostly on identified sources",
            "5 of 10 sentences report a claim. 3 rest on 2 identified sources, 1 rests on 1 source that the article "
            "does not identify, and 1 rests on nobody: what it says is marked as not established.",
        ),
        (
            summary(1, 0, 0),
            "Wholly on identified sources",
            "1 of 1 sentence reports a claim. 1 rests on 2 identified sources.",
        ),
        (summary(1, 1, 1), "On a mixture of sources", "3 of 3"),
        (summary(1, 4, 2), "Mostly on unidentified sources", "4 rest on 1 source that the article does not identify"),
        (summary(0, 0, 2), "Wholly on what nobody stands behind", "2 rest on nobody: what they say"),
        (summary(0, 0, 0, 4), "On its own voice", "No sentence reports a claim"),
    ],
)
def test_what_an_article_rests_on_is_said_in_words(counts: dict[str, int], line: str, text: str) -> None:
    sources = [
        Source("Bo", "identified", (0,)),
        Source("Ana", "identified", (1,)),
        Source("aides", "unidentified", (2,)),
    ]
    found = in_words(counts, sources)
    assert found[0] == line
    assert text in found[1]


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.001, "<1%"), (0.5, "50%"), (0.996, ">99%"), (1, "100%"), (0.125, "12%")]
)
def test_shares_are_whole_percents(share: float, text: str) -> None:
    assert percent(share) == text


def test_an_empty_list_of_articles_gives_a_page() -> None:
    assert "0 articles" in render_html([])

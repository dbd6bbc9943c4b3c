"""Sentence segmentation: examples worked by hand, the corpus, and texts that nobody writes.

`boundary_f1` is the measure behind the figures in `docs/log.md`.
"""

import textwrap
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onrecord.data.corpus import article_text, bundled_corpus, read_corpus
from onrecord.data.records import Article, Sentence
from onrecord.data.segment import MAX_WHOLE, segment
from onrecord.data.splits import split_articles


def boundary_f1(articles: Iterable[Article], *, own_lines: bool = False) -> tuple[float, float]:
    """Measure where sentences end: F1 over all boundaries, and over those that are not the end of a paragraph.

    Sentences are joined by a space, paragraphs by a blank line. The corpus holds headlines, list items and time stamps
    that end without a stop and that no reader could part from what follows on the same line; with `own_lines` they are
    followed by a newline, as on a page.
    """
    counts = [[0, 0, 0], [0, 0, 0]]  # found and gold, found, gold: of all boundaries, of those within a paragraph
    for article in articles:
        text, offsets = article_text(article)
        gold = {end for _, end in offsets}
        breaks = {
            end
            for (_, end), following in zip(offsets, article.sentences[1:], strict=False)
            if following.opens_paragraph
        }
        breaks.add(len(text))
        if own_lines:
            unmarked = {end for end in gold - breaks if text[:end].rstrip("\"'”’“»)]")[-1:] not in (".", "!", "?", "…")}
            text = "".join("\n" if index in unmarked else character for index, character in enumerate(text))
        found = {end for _, end in segment(text)}
        for count, left_out in zip(counts, (set(), breaks), strict=True):
            count[0] += len((found & gold) - left_out)
            count[1] += len(found - left_out)
            count[2] += len(gold - left_out)
    overall, within = (2 * both / (n_found + n_gold) for both, n_found, n_gold in counts)
    return overall, within


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in segment(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The vote is at 8 p.m. Tuesday in the old hall.",
        "The line opens at 9 a.m. Eastern time.",
        "Mayor J. B. Okafor signed it.",
        "The bill was drafted by J. A. Okafor.",
        "It was Lt. Col. Ana Ruiz who called.",
        "They moved to St. Louis in the spring.",
        "The bridge cost $1.2bn to build.",
        "Crews reached No. 2 on Monday.",
        "KYIV, Ukraine (AP) — Rescuers searched the mill.",
        "RENO, Nev. (AP) — Rescuers searched the mill.",
        "The U.S. Senate met.",
        "He asked U.S. Rep. Ana Ruiz.",
        "Then Sen. Paul left.",
        "It opened on Jan. 3 in Leeds.",
        "Harrow Mills Inc. said it would close.",
        "Harrow v. Leeds was decided.",
        'He said: "I… I do not know... Ask them."',
        '"Really?" she asked.',
        '"Really?" Ana Ruiz asked.',
        "“We waited. Nobody came,” she said.",
        "Crowds came for the film ‘Mr. Ruiz’ in May.",
        "‘We waited. Nobody came,’ she said.",
        "''We waited. Nobody came,'' she said.",
        "„We waited. Nobody came“, she said.",
        "The mill (built in 1911. Rebuilt in 1950.) burned.",
        "Consumer group Which? complained.",
        "1. Write down what you paid.",
        "... And then they left.",
        "one",
        "Zoe\u0308 cafe\u0301 👩‍🚒 left",
        "x" * 50_000,
    ],
)
def test_stays_whole(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "They know who is behind it.’| The implications are plain.",
        "They know who is behind it.”| The implications are plain.",
        'They know who is "behind it".| The implications are plain.',
        "It starts at 8 p.m.| The council will vote.",
        "It starts at 8 p.m.| The time was changed.",
        '"I know," he said.| "I was there."',
        "«I know. »| He left.",
        "He moved to the U.S.| He came back.",
        "They met in Toledo, Ohio.| 2024 was worse.",
        "They met in Gulfport, Miss.| Ruiz left.",
        "He said no.| Nobody asked.",
        "It closes in Jan.| Ruiz will leave.",
        "They left.| (It rained.)| Then they came back.",
        "They left.| (LAUGHTER)| Then they came back.",
        "They left.| • Ruiz stayed| • Okafor went",
        'They left.| "| Then they came back.',
        "They left.| ___| Ruiz reported from Leeds.",
        "Great!| 😀 We won.| iPhone sales fell.",
        "Why?!| Nobody knew…| Then it stopped.",
        "“He spoke.| “She spoke.| Nobody closed it.",
        # An open quotation is cut only when it is too long to be one.
        "“" + "So it was. " * (MAX_WHOLE // 11) + "So.”| Then they left.",
        "“" + "So it was.| " * (MAX_WHOLE // 11) + "So it really was.”| Then they left.",
    ],
)
def test_ends_at_the_bars(text: str) -> None:
    assert cut(text.replace("|", "")) == text.split("| ")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "text",
    [
        "Mill burns in Leeds|By Ana Ruiz||A fire broke out at the mill.|Nobody was hurt.",
        "What we know:|- One man was hurt|- Two cats fled|1. Call the mill|2. Wait",
        "It ended without a stop||and the next paragraph begins in lower case.",
        "The call came from Sen.\nRuiz.",
        "It was put out,\nRuiz said.",
        '"Is it out?"\nshe asked.',
    ],
)
def test_a_newline_ends_a_sentence_unless_the_line_runs_on(text: str, newline: str) -> None:
    text, expected = (
        text.replace("||", "\n\n").replace("|", "\n").replace("\n", newline),
        [part.replace("\n", newline) for part in text.replace("||", "|").split("|")],
    )
    assert cut(text) == expected


@pytest.mark.parametrize("width", [40, 60, 72, 100])
def test_a_hard_wrapped_text_has_the_sentences_of_its_paragraphs(width: int) -> None:
    text = (
        "A crew reached the mill at noon and found that the fire, as President Ana Ruiz had said, was out. They left "
        "at 3 p.m. Tuesday. The owner, Harrow Mills Inc., said it would rebuild in Leeds, Hull, York and Redcar "
        "– and that Mayor J. B. Okafor, who was there, had promised “all the help he can. All of it.” Nobody was hurt."
    )
    wrapped = "Mill burns\n" + textwrap.fill(text, width, break_on_hyphens=False) + "\nMill to reopen\n"
    assert [sentence.replace("\n", " ") for sentence in cut(wrapped)] == ["Mill burns", *cut(text), "Mill to reopen"]
    assert len(cut(text)) == 4


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n \u2029\t"])
def test_nothing_gives_no_sentences(text: str) -> None:
    assert segment(text) == []


PIECES = st.sampled_from(
    [
        *"abAB19 .!?…,:;-—\"'“”‘’«»„()[]•*_\n\r\t\u00a0\u2028\u0301",
        "''",
        "\r\n",
        "\n\n",
        " p.m. ",
        " Mr. ",
        "👩‍🚒",
        ". The ",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_offsets_are_trimmed_ordered_and_cover_all_but_white_space(text: str) -> None:
    position = 0
    for start, end in segment(text):
        assert position <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert not text[position:start].strip()
        position = end
    assert not text[position:].strip()


# fmt: off
REPEATED = [
    "a", "word ", ".", ". ", "A. ", '"', '" ', '."', '?" A b. ', "''", " 'A", "‘A.’", "(", ") ", "•", "_", "__x", "a\n",
    "\n", " ", "\u0301", "😀",
]
# fmt: on


@pytest.mark.parametrize("piece", REPEATED)
def test_time_is_linear_in_the_length(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    began = time.process_time()
    segment(text)
    assert time.process_time() - began < 2


def test_boundary_f1_is_as_worked_by_hand() -> None:
    sentences = (
        Sentence("Mill burns", opens_paragraph=True),
        Sentence("It was lit, Ruiz said."),
        Sentence("She left.", opens_paragraph=True),
        Sentence("He asked. Why?"),
    )
    article = Article("a", "a", sentences, (0, 1, 2, 3))
    # Gold: burns, said., left., Why? Found: said., left., asked., Why? Within paragraphs: burns, left.; left., asked.
    assert boundary_f1([article]) == (2 * 3 / (4 + 4), 2 * 1 / (2 + 2))
    assert boundary_f1([article], own_lines=True) == (2 * 4 / (5 + 4), 2 * 2 / (3 + 2))


@pytest.mark.parametrize(("own_lines", "overall", "within"), [(False, 0.97, 0.96), (True, 0.985, 0.975)])
def test_boundary_f1_on_the_corpus_test_articles(own_lines: bool, overall: float, within: float) -> None:
    f1 = boundary_f1(split_articles(read_corpus(bundled_corpus()))["test"], own_lines=own_lines)
    assert f1[0] >= overall
    assert f1[1] >= within

"""The marked corpus: parsing, writing back, errors, and what ships."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from onrecord.data import corpus as corpus_module
from onrecord.data.corpus import (
    article_text,
    bundled_corpus,
    format_marked,
    marked_files,
    paragraphs,
    parse_marked,
    read_corpus,
    read_corpus_file,
)
from onrecord.data.labels import KINDS, LABELS
from onrecord.data.records import Article, OnrecordError, Span

HEAD = "# id: mill-001\n# genre: fire\n# region: Norway\n"


@pytest.fixture(scope="module")
def corpus() -> list[Article]:
    return read_corpus(bundled_corpus())


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Marks


def test_marks_become_spans_of_the_plain_text() -> None:
    assert parse_marked("{a:Two aides} {c:said} no.") == (
        "Two aides said no.",
        (Span(0, 9, "source", "unidentified"), Span(10, 14, "cue")),
    )


@pytest.mark.parametrize(
    "marked",
    [
        "No marks at all.",
        "{s:Ana Ruiz} {c:denied} it.",
        "{s:The mayor} {c:said} no, but {a:two aides} {c:said} yes.",
        "It {h:may} rain, and it {h:may} not.",
        "🚒 {s:Zoë} {c:said}: “no” 🙂",
        "{s:Re\u0301my} {c:sai\u0301d}e\u0301 no.",
        "{c:says}{s:she}",
    ],
)
def test_a_marked_sentence_comes_back_as_it_was(marked: str) -> None:
    assert format_marked(*parse_marked(marked)) == marked


def test_offsets_count_code_points() -> None:
    text, (source, cue) = parse_marked("🚒🙂 {s:Re\u0301my} {c:said} so.")
    assert (source.start, source.end) == (3, 8)
    assert (text[source.start : source.end], text[cue.start : cue.end]) == ("Re\u0301my", "said")


@pytest.mark.parametrize(
    ("marked", "told"),
    [
        ("{x:Ana} said", "found '{x:', allowed are {s:, {a:, {c:, {h:"),
        ("{Ana} said", "found '{'"),
        ("{s:Ana {c:said}}", "marks do not nest"),
        ("{s:Ana said", "never closed"),
        ("Ana} said", "without a mark"),
        ("{s:} said", "covers no text"),
    ],
)
def test_a_wrong_mark_is_named(marked: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_marked(marked)


# Files


def test_a_file_is_read_into_articles(tmp_path: Path) -> None:
    text = f"## fiction\n{HEAD}\nnone | Mill burns\n\nattributed | {{s:Ana}} {{c:said}} so.\nnone | It rained.\n"
    (article,) = read_corpus_file(save(tmp_path / "mills.txt", text))
    assert (article.id, article.doc) == ("mill-001", "mill-001")
    assert article.meta == {"genre": "fire", "region": "Norway", "desk": "mills"}
    assert [(s.text, s.label) for s in article.sentences] == [
        ("Mill burns", "none"),
        ("Ana said so.", "attributed"),
        ("It rained.", "none"),
    ]
    assert [s.opens_paragraph for s in article.sentences] == [True, True, False]
    assert article.judged == (0, 1, 2)


@pytest.mark.parametrize("wrap", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t], ids=["CRLF", "BOM"])
def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path, wrap: object) -> None:
    text = f"{HEAD}\nnone | It rained.\n\nanonymous | {{a:Some}} {{c:say}} so.\n"
    plain = read_corpus_file(save(tmp_path / "a.txt", text))
    assert read_corpus_file(save(tmp_path / "a.txt", wrap(text))) == plain  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("none | It rained.\n", "a.txt:1: found 'none | It rained.', expected '# id:' before"),
        (f"{HEAD}none - It rained.\n", "a.txt:4: found 'none - It rained.', expected 'label | text'"),
        (
            f"{HEAD}rumour | It rained.\n",
            "a.txt:4: found 'rumour', expected 'label | text' with a label of attributed,",
        ),
        (f"{HEAD}none |  \n", "a.txt:4: the sentence is empty"),
        (f"{HEAD}none | {{s:Ana}} ran.\n", "a.txt:4: a sentence labelled 'none' carries no marks"),
        (f"{HEAD}attributed | {{a:Some}} {{c:say}} so.\n", "a.txt:4: '{a:' in a sentence labelled 'attributed'"),
        (f"{HEAD}anonymous | {{a:Some}} {{h:may}} go.\n", "a.txt:4: '{h:' in a sentence labelled 'anonymous'"),
        (f"{HEAD}# mood: grim\nnone | It rained.\n", "a.txt:4: found '# mood: grim', expected '# name: value'"),
        (f"{HEAD}none | It rained.\n# style: wire\n", "a.txt:5: '# style:' stands after the article's first sentence"),
        (f"{HEAD}# genre: flood\nnone | It rained.\n", "a.txt:4: '# genre:' stands twice"),
        (f"{HEAD}# id: b\nnone | It rained.\n", "a.txt:1: article 'mill-001' has no sentences"),
        ("# id: b\nnone | Rain.\n# id: b\nnone | Sun.\n", "a.txt:3: article id 'b' stands in line 1 too"),
        ("# id:\nnone | Rain.\n", "a.txt:1: found '# id:'"),
        ("", "a.txt: no articles"),
        (b"# id: b\nnone | Caf\xe9.\n", "a.txt: not UTF-8 at byte 18"),
    ],
)
def test_an_error_names_file_line_and_what_is_allowed(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(OnrecordError) as caught:
        read_corpus_file(save(tmp_path / "a.txt", text))
    assert str(caught.value).startswith(str(tmp_path))
    assert told in str(caught.value)


def test_collecting_errors_reads_on_behind_each(tmp_path: Path) -> None:
    text = (
        "none | Too early.\n# id: a\nrumour | It rained.\nnone | It snowed.\nnone | {c:said}\n"
        "# id: b\n# genre\nnone | {s:It} hailed.\n# id: c\nnone | It thawed.\n"
    )
    errors: list[str] = []
    articles = read_corpus_file(save(tmp_path / "a.txt", text), errors=errors)
    assert [error.split(":")[1] for error in errors] == ["1", "3", "5", "7", "8"]
    assert [(a.id, [s.text for s in a.sentences]) for a in articles] == [("a", ["It snowed."]), ("c", ["It thawed."])]


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        save(tmp_path / f"{name}.txt", f"# id: {name}\nnone | It rained.\n")
    assert [article.id for article in read_corpus(tmp_path)] == ["a", "b"]


def test_an_id_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("b", "a"):
        save(tmp_path / f"{name}.txt", "# id: same\nnone | It rained.\n")
    with pytest.raises(OnrecordError, match=r"article id 'same' stands in .*a\.txt too"):
        read_corpus(tmp_path)


def test_a_folder_without_marked_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"no \*\.txt files"):
        read_corpus(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"nix\.txt: No such file"):
        read_corpus(tmp_path / "nix.txt")


def test_paragraphs_part_where_a_sentence_opens_one(tmp_path: Path) -> None:
    text = "# id: a\nnone | One.\nnone | Two.\n\nnone | Three.\n"
    (article,) = read_corpus_file(save(tmp_path / "a.txt", text))
    assert [[s.text for s in part] for part in paragraphs(article)] == [["One.", "Two."], ["Three."]]
    assert article_text(article) == ("One. Two.\n\nThree.", [(0, 4), (5, 9), (11, 17)])


# What ships


def test_offsets_give_back_the_text_of_every_article(corpus: list[Article]) -> None:
    for article in corpus:
        text, offsets = article_text(article)
        assert [text[start:end] for start, end in offsets] == [sentence.text for sentence in article.sentences]


def lines(path: Path) -> Iterator[str]:
    return (
        line.partition(" | ")[2]
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    )


def test_writing_the_marks_back_gives_every_line_of_the_corpus() -> None:
    for path in marked_files(bundled_corpus()):
        held = [sentence for article in read_corpus_file(path) for sentence in article.sentences]
        assert [format_marked(sentence.text, sentence.spans or ()) for sentence in held] == list(lines(path))


def test_no_span_of_the_corpus_begins_or_ends_with_white_space(corpus: list[Article]) -> None:
    spans = [
        sentence.text[span.start : span.end]
        for article in corpus
        for sentence in article.sentences
        for span in sentence.spans or ()
    ]
    assert [text for text in spans if text != text.strip()] == []


def test_every_source_of_the_corpus_has_a_kind(corpus: list[Article]) -> None:
    spans = [span for article in corpus for sentence in article.sentences for span in sentence.spans or ()]
    assert all(span.kind for span in spans if span.tag == "source")


def test_every_file_of_the_corpus_opens_by_saying_that_it_is_fiction() -> None:
    opening = "## Fiction, written for this project and published by nobody."
    assert [
        path.name for path in marked_files(bundled_corpus()) if not path.read_text(encoding="utf-8").startswith(opening)
    ] == []


def test_the_example_in_the_guide_is_sound(tmp_path: Path) -> None:
    guide = (Path(corpus_module.__file__).parent / "GUIDE.md").read_text(encoding="utf-8")
    (article,) = read_corpus_file(save(tmp_path / "guide.txt", guide.split("```\n")[1]))
    assert {sentence.label for sentence in article.sentences} == set(LABELS)
    kinds = {span.kind for sentence in article.sentences for span in sentence.spans or () if span.tag == "source"}
    assert kinds == set(KINDS)

"""Reading articles for scoring."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from onrecord.data.read import Document, ReadFailure, expand_inputs, read_documents
from onrecord.data.records import OnrecordError
from onrecord.data.segment import segment

PAGES = Path(__file__).parent / "pages"
TEXT = "The mill closed on Friday, its owner said. Nobody would say why."


def read(*inputs: Path | str, **options: object) -> list[Document | ReadFailure]:
    return list(read_documents([str(item) for item in inputs], **options))  # type: ignore[arg-type]


def read_one(*inputs: Path | str, **options: object) -> Document:
    (found,) = read(*inputs, **options)
    assert isinstance(found, Document), found
    return found


def fail_one(*inputs: Path | str, **options: object) -> ReadFailure:
    (found,) = read(*inputs, **options)
    assert isinstance(found, ReadFailure), found
    return found


def save(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Text and its encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_text_is_read_in_its_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Zoë said: “No.”\r\n\r\nTwo aides said yes. 🚒 e\u0301"
    data = {
        "utf-16-le-bom": b"\xff\xfe" + text.encode("utf-16-le"),
        "utf-16-be-bom": b"\xfe\xff" + text.encode("utf-16-be"),
    }.get(encoding) or text.encode(encoding)
    document = read_one(save(tmp_path / "a.txt", data))
    assert document == Document(str(tmp_path / "a.txt"), text, None, str(tmp_path / "a.txt"))


def test_text_in_another_encoding_fails_and_names_the_byte(tmp_path: Path) -> None:
    failure = fail_one(save(tmp_path / "a.txt", "The café shut, she said.".encode("latin-1")))
    assert failure.code == "encoding"
    assert "byte 0xe9 at offset 7" in failure.message


@pytest.mark.parametrize("content", ["", "  \n\t\n", "\ufeff"])
def test_an_empty_file_fails_as_empty(tmp_path: Path, content: str) -> None:
    assert fail_one(save(tmp_path / "a.txt", content)).code == "empty"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04\x14\x00word/document.xml", "word processor"),
        (b"\x89PNG\r\n\x1a\n\x00", "PNG"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "binary"),
        (TEXT.encode("utf-16-le"), "byte order mark"),
        (b"a" * 9000 + b"\x00", "NUL"),
    ],
)
def test_binary_is_refused_in_plain_words(tmp_path: Path, data: bytes, word: str) -> None:
    failure = fail_one(save(tmp_path / "a.txt", data))
    assert failure.code == "binary"
    assert word in failure.message


# Which form


@pytest.mark.parametrize(
    ("name", "content", "n"),
    [
        ("a.txt", TEXT, 1),
        ("a", TEXT, 1),
        ("a.jsonl", json.dumps({"text": TEXT}) + "\n" + json.dumps({"text": TEXT}), 2),
        ("a", json.dumps({"text": TEXT}) + "\n" + json.dumps({"text": TEXT}), 2),
        ("a.json", json.dumps([{"text": TEXT}, {"text": TEXT}], indent=1), 2),
        ("a.json", json.dumps({"text": TEXT}, indent=1), 1),
        ("a.json", json.dumps({"text": TEXT}) + "\n" + json.dumps({"text": TEXT}), 2),
        ("a.csv", f'text\n"{TEXT}"\n', 1),
        ("a", f'id,text\n1,"{TEXT}"\n', 1),
        ("a.csv", f"id;text\n1;{TEXT}\n2;{TEXT}\n", 2),
        ("a.tsv", f"text\tdesk\n{TEXT}\tx\n", 1),
        ("a", "<!-- saved from url=(1)x -->\n<!DOCTYPE html><p>" + TEXT * 9, 1),
        ("a.txt", "<html><body><p>" + TEXT * 9, 1),
    ],
)
def test_the_form_is_told_from_content_and_name(tmp_path: Path, name: str, content: str, n: int) -> None:
    found = read(save(tmp_path / name, content))
    assert [type(item) for item in found] == [Document] * n
    assert all(isinstance(item, Document) and item.text.startswith("The mill closed") for item in found)


def test_the_form_can_be_forced(tmp_path: Path) -> None:
    line = json.dumps({"text": TEXT})
    assert read_one(save(tmp_path / "a.jsonl", line), form="text").text == line
    assert read_one(save(tmp_path / "b.txt", line), form="jsonl").text == TEXT


def test_an_unknown_form_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(OnrecordError, match=r"'docx'; allowed are text, html"):
        read_documents([], form="docx")


# Rows


def test_a_row_has_its_own_id_or_the_files_and_its_number(tmp_path: Path) -> None:
    file = save(tmp_path / "a.jsonl", '{"text": "One."}\n{"id": 7, "text": "Two."}\n')
    assert [item.id for item in read(file)] == [f"{file}:1", "7"]


def test_broken_lines_fail_one_by_one(tmp_path: Path) -> None:
    lines = [
        b'{"id": "good", "text": "One."}',
        b'{"id": "cut", "text": "Tw',
        b"",
        b'["text"]',
        b'{"id": "none"}',
        b'{"id": "blank", "text": "  "}',
        b'{"id": "number", "text": 3}',
        b'{"id": "caf\xe9", "text": "x"}',
        rb'{"id": "half", "text": "a \ud83d b"}',
        rb'{"id": "\ud83d", "text": "x"}',
        b"[" * 100_000,
        '{"id": "last", "text": "Line\u2028two."}'.encode(),
    ]
    file = save(tmp_path / "a.jsonl", b"\n".join(lines))
    found = [(item.id.removeprefix(f"{file}"), getattr(item, "code", "ok")) for item in read(file)]
    assert found == [
        ("good", "ok"),
        (":2", "bad_json"),
        (":3", "bad_row"),
        ("none", "no_text"),
        ("blank", "empty"),
        ("number", "no_text"),
        (":7", "encoding"),
        ("half", "encoding"),
        (":9", "encoding"),
        (":10", "bad_json"),
        ("last", "ok"),
    ]


def test_a_bad_byte_in_a_row_is_named(tmp_path: Path) -> None:
    failure = fail_one(save(tmp_path / "a.jsonl", b'{"text": "caf\xe9"}'))
    assert "byte 0xe9 after 3 characters" in failure.message


def test_a_labelled_row_is_read_with_its_context(tmp_path: Path) -> None:
    row = {"text": "He left.", "before": ["Ana Ruiz spoke.", " "], "after": ["It rained."], "label": "none"}
    document = read_one(save(tmp_path / "a.jsonl", json.dumps(row)))
    assert document.text == "Ana Ruiz spoke. He left. It rained."
    assert document.sentences == ((0, 15), (16, 24), (25, 35))
    assert document.judged == (1,)


def test_context_that_is_no_list_fails(tmp_path: Path) -> None:
    assert fail_one(save(tmp_path / "a.jsonl", '{"text": "A.", "before": "B."}')).code == "bad_row"


def test_a_csv_without_text_column_or_rows_fails(tmp_path: Path) -> None:
    assert "found id, body" in fail_one(save(tmp_path / "a.csv", "id,body\n1,x\n")).message
    assert fail_one(save(tmp_path / "b.csv", "id,text\n")).code == "empty"


def test_a_csv_row_fails_alone(tmp_path: Path) -> None:
    data = b'id,text\na,"First, said Ana.\nSecond line."\nb,\nc,caf\xe9\nd\n\ne,Last.\n'
    found = [(item.id, getattr(item, "code", "ok")) for item in read(save(tmp_path / "a.csv", data))]
    assert found == [("a", "ok"), ("b", "empty"), ("c", "encoding"), ("d", "no_text"), ("e", "ok")]


def test_a_csv_text_that_is_not_quoted_fails_and_is_not_cut(tmp_path: Path) -> None:
    good, cut = read(save(tmp_path / "a.csv", 'id,text\n1,"Yes, she said."\n2,Police said, on Monday, no.\n'))
    assert isinstance(good, Document)
    assert isinstance(cut, ReadFailure)
    assert (cut.code, cut.id) == ("bad_csv", f"{tmp_path / 'a.csv'}:2")
    assert "4 cells under 2 columns" in cut.message


def test_a_quote_that_is_not_closed_fails(tmp_path: Path) -> None:
    _, failure = read(save(tmp_path / "a.csv", 'id,text\n1,Yes.\n2,"No.\n3,Perhaps.\n'))
    assert isinstance(failure, ReadFailure)
    assert failure.code == "bad_csv"


def test_a_tsv_with_one_column_keeps_its_commas(tmp_path: Path) -> None:
    assert read_one(save(tmp_path / "a.tsv", "text\nYes, she said.\n")).text == "Yes, she said."


def test_a_csv_header_that_is_no_utf8_fails(tmp_path: Path) -> None:
    failure = fail_one(save(tmp_path / "a.csv", b"\xdcberschrift;K\xf6rper\n"))
    assert failure.code == "encoding"
    assert "byte 0xdc" in failure.message


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('[{"text": "Yes."}, {"text": "No."}]', ["Yes.", "No."]),
        ('[\n {"text": "Yes."}\n]\n', ["Yes."]),
        ('{\n "text": "Yes."\n}\n', ["Yes."]),
        ('{"text": "Yes."}\n{"text": "No."}\n', ["Yes.", "No."]),
        ("The man sent a voice note, text, and a photo.", ["The man sent a voice note, text, and a photo."]),
        ("[Updated] The mill closed.", ["[Updated] The mill closed."]),
        ("article id,text\n1,Yes.\n", ["Yes."]),
    ],
)
def test_standard_input_is_told_from_its_content(content: str, texts: list[str]) -> None:
    found = read("-", stdin=io.BytesIO(content.encode()))
    assert [item.text for item in found if isinstance(item, Document)] == texts


def test_a_nul_in_a_row_fails(tmp_path: Path) -> None:
    assert fail_one(save(tmp_path / "a.jsonl", '{"text": "Yes\\u0000."}')).code == "binary"


def test_a_csv_cell_may_be_long(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with file.open("w", encoding="utf-16", newline="") as out:
        csv.writer(out).writerows([["text"], [TEXT * 9000]])
    assert len(read_one(file).text) == 9000 * len(TEXT)


def test_parquet_rows_are_read(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, None, 3], "text": ["One.", None, "Three."], "other": [0, 0, 0]}), file)
    assert [(item.id, getattr(item, "code", "ok")) for item in read(file)] == [
        ("1", "ok"),
        (f"{file}:2", "no_text"),
        ("3", "ok"),
    ]
    pq.write_table(pa.table({"body": ["One."]}), file)
    assert "found body" in fail_one(file).message
    cut = save(tmp_path / "cut.parquet", file.read_bytes()[:40])
    assert fail_one(cut).code == "bad_parquet"
    assert fail_one("-", stdin=io.BytesIO(file.read_bytes())).code == "unreadable"


def test_rows_stream_in_constant_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    with file.open("w") as out:
        for _ in range(4000):
            out.write(json.dumps({"text": TEXT * 20}) + "\n")
    assert file.stat().st_size > 5_000_000
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_documents([str(file)])) == 4000
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


# Where from


def test_a_folder_is_read_in_order_without_what_is_no_article(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.TXT", "a/y.jsonl", "notes.docx", ".hidden.txt", ".git/c.txt"):
        save(tmp_path / name, '{"text": "x"}')
    save(tmp_path / "page.html", "<html>")
    save(tmp_path / "page_files/frame.html", "<html>")
    save(tmp_path / "other_files/c.txt", "x")
    found = [str(Path(str(name)).relative_to(tmp_path)) for name in expand_inputs([str(tmp_path)])]
    assert found == ["a/y.jsonl", "a/z.TXT", "b.txt", "other_files/c.txt", "page.html"]


def test_a_folder_without_articles_fails(tmp_path: Path) -> None:
    save(tmp_path / "a.docx", "x")
    assert fail_one(tmp_path).code == "no_files"


def test_a_glob_is_expanded_in_order_unless_a_file_has_that_name(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a/1.txt", "[x].txt"):
        save(tmp_path / name, TEXT)
    assert [item.id for item in read(tmp_path / "**" / "*.txt")] == [
        str(tmp_path / name) for name in ("[x].txt", "a/1.txt", "b/2.txt")
    ]
    assert read_one(tmp_path / "[x].txt").text == TEXT
    assert fail_one(tmp_path / "*.md").code == "not_found"


def test_standard_input_is_read_once() -> None:
    found = read("-", "-", stdin=io.BytesIO(TEXT.encode()))
    assert found[0] == Document("-", TEXT, None, "-")
    assert isinstance(found[1], ReadFailure)
    assert found[1].code == "stdin"
    assert fail_one("-", stdin=io.BytesIO(b"")).message == "nothing came on standard input"


@pytest.mark.parametrize(
    ("name", "code"), [("missing.txt", "not_found"), ("https://example.org/a", "address"), ("a\x00b", "not_found")]
)
def test_what_is_not_there_fails(name: str, code: str) -> None:
    assert fail_one(name).code == code


def test_an_address_is_answered_with_the_way_round() -> None:
    assert "curl -sL 'https://example.org/a' | onrecord score -" in fail_one("https://example.org/a").message


def test_a_name_that_is_too_long_fails_alone() -> None:
    assert fail_one("x" * 5000).code == "not_found"


def test_a_folder_that_may_not_be_read_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a" / "a.txt", TEXT)
    (tmp_path / "b").mkdir()
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "b":  # root may read everything
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    document, failure = read(tmp_path)
    assert isinstance(document, Document)
    assert failure == ReadFailure(str(tmp_path / "b"), "unreadable", "Permission denied")


def test_closed_standard_input_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert fail_one("-").code == "stdin"


def test_one_bad_input_does_not_cost_the_others(tmp_path: Path) -> None:
    good = save(tmp_path / "a.txt", TEXT)
    found = read(tmp_path / "missing", good, save(tmp_path / "b.txt", b"\xff"), good)
    assert [getattr(item, "code", "ok") for item in found] == ["not_found", "ok", "encoding", "ok"]


# Saved pages: what must be there, and what must not


@pytest.mark.parametrize(
    ("page", "first", "last", "n_paragraphs", "absent"),
    [
        ("news_template", "Harbour wall", "a swimming pool.", 6, ["pies", "Cookie", "dataLayer", "Sport"]),
        ("blog", "I went to look", "with sandwiches.", 4, ["Chirper", "Archives", "Blogroll", "max-width"]),
        ("amp", "Tram line closed", "confirm the figure.", 5, ["AMP-ACCOUNT", "Sponsored", "animation"]),
        ("no_article", "Creamery sold", "in June.", 5, ["Births", "Pig prices", "visitor number"]),
        ("comments", "Market hall", "made public.", 5, ["fishwife", "Typical", "Leave a reply", "47"]),
        ("broken_markup", "Signal box saved", "in 1966.", 6, ["INJECTED", "document.write", "<p>"]),
        ("windows_1252", "The waiters", "shown a contract.", 4, ["Archive", "�"]),
        ("huge_script", "Observatory roof", "take ten days.", 5, ["SCRIPT", "filler", "__STATE__"]),
        ("newsletter_page", "Bees moved", "anyone’s guess.", 6, ["cookies", "Sign up", "Quiz", "import("]),
        ("xhtml", "Lighthouse keeper", "may exist.", 4, ["CDATA", "hidden", "Home"]),
    ],
)
def test_a_saved_page_gives_its_article_and_nothing_else(
    tmp_path: Path, page: str, first: str, last: str, n_paragraphs: int, absent: list[str]
) -> None:
    pytest.importorskip("trafilatura")
    (file,) = PAGES.glob(f"{page}.*")
    data = file.read_bytes().replace(b"@@FILLER@@", b"filler text that is no prose. " * 60_000)
    text = read_one(save(tmp_path / file.name, data)).text
    assert text.startswith(first)
    assert text.endswith(last)
    assert len(text.split("\n\n")) == n_paragraphs
    assert [word for word in absent if word in text] == []


def test_a_pages_declared_latin_1_is_read_as_windows_1252() -> None:
    pytest.importorskip("trafilatura")
    text = read_one(PAGES / "windows_1252.html").text
    assert "“It was never about the €2,” said Zoë Müller" in text


@pytest.mark.parametrize("charset", ["utf-8", "no-such-charset", "koi8-r"])
def test_a_page_in_utf8_stays_utf8_whatever_it_declares(tmp_path: Path, charset: str) -> None:
    pytest.importorskip("trafilatura")
    page = f"<html><meta charset={charset}><body><p>“Zoë,” she said. {TEXT * 5}</p></body></html>"
    assert read_one(save(tmp_path / "a.html", page)).text.startswith("“Zoë,” she said.")


def test_a_stray_byte_in_a_page_of_utf8_costs_that_byte_alone(tmp_path: Path) -> None:
    page = '<html><meta charset="utf-8"><p>“We saw it,” she said. It was late.</p><footer>caf\xe9</footer>'
    data = page.encode().replace("\xe9".encode(), b"\xe9")
    assert "“We saw it,” she said." in read_one(save(tmp_path / "a.html", data)).text


@pytest.mark.parametrize("charset", ["undefined", "hex", "no-such-charset"])
def test_a_charset_that_is_none_costs_nothing(tmp_path: Path, charset: str) -> None:
    data = f'<html><meta charset="{charset}"><p>She left the caf'.encode() + b"\xe9 at noon, he said.</p>"
    assert "café at noon" in read_one(save(tmp_path / "a.html", data)).text


def test_a_short_pages_table_is_left_out(tmp_path: Path) -> None:
    page = "<html><body><p>The owner said no.</p><table><tr><td>A cell.</td></tr></table><p>It shut.</p></body></html>"
    assert read_one(save(tmp_path / "a.html", page)).text == "The owner said no.\n\nIt shut."


def test_a_declared_charset_is_used(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    page = f'<html><meta charset="koi8-r"><body><p>Мэр said so. {TEXT * 5}</p></body></html>'
    assert read_one(save(tmp_path / "a.html", page.encode("koi8-r"))).text.startswith("Мэр said so.")


def test_a_page_without_prose_fails(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    assert fail_one(save(tmp_path / "a.html", "<html><script>let x</script></html>")).code == "no_text"


def test_a_page_without_the_extra_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trafilatura", None)
    failure = fail_one(save(tmp_path / "a.html", "<html><p>x"))
    assert failure.code == "missing_extra"
    assert "pip install 'onrecord[web]'" in failure.message


def test_the_sample_article_is_some_twenty_sentences_of_news() -> None:
    text = read_one(Path(__file__).parents[1] / "data" / "sample.txt").text
    assert 18 <= len(segment(text)) <= 22
    for words in ("on condition of anonymity", "reportedly", "independently verified", "governor", "did?"):
        assert words in text

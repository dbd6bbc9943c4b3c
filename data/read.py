"""Read articles for scoring: files, folders, globs and standard input, as a stream of documents.

Six forms: plain text and saved web pages (an article a file), JSON Lines, JSON, CSV and Parquet (an article a row). The
form is told from content and name, and can be forced. What cannot be read comes out as a `ReadFailure` in its place,
so that one bad input never costs the others. Nothing is fetched: a web address is refused with the way round it.
"""

from __future__ import annotations

import codecs
import csv
import glob
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast, get_args

from .corpus import article_text
from .records import Article, OnrecordError, Sentence

Form = Literal["text", "html", "jsonl", "json", "csv", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)

SUFFIXES: dict[str, Form] = {
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
"""The names that a folder is searched for, and what they hold."""

STDIN = "-"
_HEAD = 8192
"""Bytes that are looked at to tell a form."""
_HTML = re.compile(r"(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_META_CHARSET = re.compile(rb"""(?:<meta[^>]*?charset|<\?xml[^>]*?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_ARRAY = re.compile(r"\[\s*\{")
_PARAGRAPH = re.compile(r"<p[\s>]", re.IGNORECASE)
_TABLE = re.compile(r"<(/?)(?:table|tbody|tr|td)\b[^>]*>", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MAGIC = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive, or a word processor's document",
    b"\xd0\xcf\x11\xe0": "an old word processor's document",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"{\\rtf": "an RTF document",
}


@dataclass(frozen=True, slots=True)
class Document:
    """An article to score."""

    id: str
    """The row's own id, else the file's name, with the row's number behind a colon."""
    text: str
    sentences: tuple[tuple[int, int], ...] | None
    """Offsets of the sentences where the input gives them; None: to be segmented."""
    source: str
    """The file it came from; `-` is standard input."""
    judged: tuple[int, ...] | None = None
    """Which of `sentences` are asked about, the others being context; None: all."""


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """An input that could not be read, and why."""

    id: str
    code: str
    message: str


class _RefusedError(Exception):
    """What is wrong with one input: caught in this module, and turned into a `ReadFailure`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def read_documents(
    inputs: Iterable[str],
    *,
    form: str | None = None,
    stdin: BinaryIO | None = None,
    open_file: Callable[[Path], BinaryIO] = _open,
) -> Iterator[Document | ReadFailure]:
    """Read articles one after another, in memory that does not grow with the number of rows.

    Args:
        inputs: Files, folders (searched for `SUFFIXES`), globs, and `-` for standard input.
        form: One of `FORMS`, for all inputs; None tells it from content and name.
        stdin: Read in place of the process's standard input.
        open_file: Opens a file for reading bytes; a progress bar counts here.

    Raises:
        OnrecordError: `form` is unknown. A bad input never raises.
    """
    known = next((name for name in FORMS if name == form), None)
    if form is not None and known is None:
        raise OnrecordError(f"unknown input format '{form}'; allowed are {', '.join(FORMS)}")

    def opened(name: str) -> io.BufferedReader:
        if name != STDIN:
            return io.BufferedReader(cast("Any", open_file(Path(name))))
        if stdin is None and sys.stdin is None:
            raise _RefusedError("stdin", "standard input is closed")
        return io.BufferedReader(cast("Any", stdin or sys.stdin.buffer))

    def documents() -> Iterator[Document | ReadFailure]:
        for name in expand_inputs(inputs):
            if isinstance(name, ReadFailure):
                yield name
            else:
                yield from _read(name, known, opened)

    return documents()


def expand_inputs(inputs: Iterable[str]) -> Iterator[str | ReadFailure]:
    """Turn folders and globs into the files they stand for, in the order of their names.

    A folder's hidden files, and the `NAME_files` folder that browsers save beside `NAME.html`, are passed over.
    """
    read_stdin = False
    for name in inputs:
        path = Path(name)
        try:
            is_folder, is_there = path.is_dir(), path.exists()
        except OSError:  # no file can have such a name
            is_folder = is_there = False
        if name == STDIN:
            yield ReadFailure(name, "stdin", "standard input is named twice") if read_stdin else name
            read_stdin = True
        elif is_folder:
            found = False
            for file in _walk(path):
                found = True
                yield file
            if not found:
                yield ReadFailure(
                    _printable(name), "no_files", f"no files named *{', *'.join(SUFFIXES)} in this folder"
                )
        elif is_there:
            yield name
        elif re.match(r"\w+://", name):
            yield ReadFailure(name, "address", f"addresses are not fetched; try: curl -sL '{name}' | onrecord score -")
        elif glob.has_magic(name):
            # Path.glob takes no absolute pattern
            files = [file for file in sorted(glob.glob(name, recursive=True)) if Path(file).is_file()]  # noqa: PTH207
            yield from files
            if not files:
                yield ReadFailure(_printable(name), "not_found", "no file matches this pattern")
        else:
            yield ReadFailure(_printable(name), "not_found", "no such file or folder")


def _walk(folder: Path) -> Iterator[str | ReadFailure]:
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        yield ReadFailure(_printable(str(folder)), "unreadable", error.strerror or str(error))
        return
    pages = {entry.stem for entry in entries if SUFFIXES.get(entry.suffix.lower()) == "html"}
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            if not (entry.name.endswith("_files") and entry.name.removesuffix("_files") in pages):
                yield from _walk(entry)
        elif entry.suffix.lower() in SUFFIXES:
            yield str(entry)


def _printable(name: str) -> str:
    """Return a file's name as valid Unicode: a name may hold any bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def _read(name: str, form: Form | None, opened: Callable[[str], io.BufferedReader]) -> Iterator[Document | ReadFailure]:
    label = _printable(name)
    try:
        with opened(name) as stream:
            yield from _READERS[_form_of(stream.peek(_HEAD)[:_HEAD], name, form)](stream, label)
    except _RefusedError as refusal:
        yield ReadFailure(label, refusal.code, str(refusal))
    except UnicodeDecodeError as error:
        yield ReadFailure(label, "encoding", f"{error.reason} in {error.encoding}; the rest of the file is not read")
    except OSError as error:
        yield ReadFailure(label, "unreadable", error.strerror or str(error))


def _form_of(head: bytes, name: str, form: Form | None) -> Form:
    """Tell the form: content that leaves no doubt, then the name, then the look of the first line."""
    if not head:
        raise _RefusedError("empty", "the file is empty" if name != STDIN else "nothing came on standard input")
    if head.startswith(b"PAR1"):
        return "parquet"
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    encoding = next((encoding for bom, encoding in _BOMS if head.startswith(bom)), None)
    named = form or SUFFIXES.get(Path(name).suffix.lower())
    if named != "parquet":
        if kind:
            raise _RefusedError("binary", f"this is {kind}, not text; save the article as text or HTML")
        if b"\0" in head and encoding in (None, "utf-8"):
            raise _RefusedError("binary", "this is a binary file, or UTF-16 without a byte order mark")
    if form:
        return form
    text = head.decode(encoding or "utf-8", "ignore").lstrip("\ufeff")
    if _HTML.match(text):
        return "html"
    if named:
        return named
    text = text.lstrip()
    first = text.partition("\n")[0].strip()
    if first == "{" or _ARRAY.match(text):
        return "json"
    if first.startswith("{"):
        return "jsonl"
    delimiter = _delimiter(first)
    return "csv" if delimiter and all(len(cell.split()) <= 3 for cell in first.split(delimiter)) else "text"


def _decode(data: bytes) -> str:
    """Decode a whole text file: UTF-8, or what its byte order mark says."""
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start + len(bom)
        raise _RefusedError(
            "encoding", f"byte 0x{data[at]:02x} at offset {at} is not {encoding.upper()}; save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise _RefusedError("binary", f"a NUL character at offset {text.index(chr(0))}: this is no text file")
    return text


def _decode_page(data: bytes) -> str:
    """Decode a web page: byte order mark, UTF-8 where valid, the declared charset, windows-1252.

    Bytes that do not belong become U+FFFD, as in browsers (WHATWG Encoding Standard, where Latin-1 is windows-1252).
    """
    if any(data.startswith(bom) for bom, _ in _BOMS):
        return _decode(data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        declared = _META_CHARSET.search(data[:_HEAD])
    charset = declared.group(1).decode().lower() if declared else "windows-1252"
    try:
        if codecs.lookup(charset).name in ("iso8859-1", "ascii"):
            charset = "windows-1252"
        return data.decode(charset, "replace")
    except (LookupError, UnicodeError):  # no charset, or none of text
        return data.decode("windows-1252", "replace")


def _checked(text: object) -> str:
    """Return the text of an article, or refuse what is none."""
    if not isinstance(text, str):
        raise _RefusedError("no_text", "'text' is missing" if text is None else "'text' is no string")
    if not text.strip():
        raise _RefusedError("empty", "'text' is empty")
    _check_unicode(text)
    if "\0" in text:
        raise _RefusedError("binary", f"'text' holds a NUL character after {text.index(chr(0))} characters")
    return text


def _check_unicode(text: str, where: str = "") -> None:
    """Refuse what no UTF-8 file could hold: undecoded bytes (as `surrogateescape` keeps them) and half characters."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        what = f"byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"half a surrogate pair, \\u{code:04x},"
        raise _RefusedError("encoding", f"{where}{what} after {error.start} characters is not UTF-8") from error


def _read_text(stream: io.BufferedReader, name: str) -> Iterator[Document]:
    text = _decode(stream.read())
    if not text.strip():
        raise _RefusedError("empty", "the file holds no text")
    yield Document(name, text, None, name)


def _read_html(stream: io.BufferedReader, name: str) -> Iterator[Document]:
    """Take a page's main text; offsets point into that text, in which a blank line parts the paragraphs."""
    try:
        from trafilatura import extract
    except ImportError as error:
        message = f"reading web pages needs an extra: pip install 'onrecord[web]' ({error})"
        raise _RefusedError("missing_extra", message) from error
    page = _decode_page(stream.read())
    if not page.strip():
        raise _RefusedError("empty", "the file holds no text")
    if not _PARAGRAPH.search(page):
        page = _TABLE.sub(r"<\1div>", page)  # an old page: its tables are the layout, not data
    text = extract(page, include_comments=False, prune_xpath="//table")  # include_tables=False leaves some
    if not text or not text.strip():
        raise _RefusedError("no_text", "no article text was found in this page")
    yield Document(name, "\n\n".join(text.splitlines()), None, name)


def _lines(stream: io.BufferedReader, newline: str) -> io.TextIOWrapper:
    """Decode a stream as it is read; bytes that are not UTF-8 stay visible to `_check_unicode`."""
    head = stream.peek(4)
    bom, encoding = next(((bom, name) for bom, name in _BOMS if head.startswith(bom)), (b"", "utf-8"))
    stream.read(len(bom))
    return io.TextIOWrapper(stream, encoding, "surrogateescape" if encoding == "utf-8" else "strict", newline)


def _rows(rows: Iterable[object], name: str) -> Iterator[Document | ReadFailure]:
    """Turn rows into documents; a row that is a refusal, or earns one, fails alone."""
    empty = True
    for number, row in enumerate(rows, 1):
        empty = False
        id_ = f"{name}:{number}"
        try:
            if isinstance(row, _RefusedError):
                raise row
            if not isinstance(row, Mapping):
                raise _RefusedError("bad_row", "the row is no object with a 'text'")
            own = row.get("id")
            if own is not None and str(own).strip():
                _check_unicode(str(own), "id: ")
                id_ = str(own)
            yield _document(row, id_, name)
        except _RefusedError as refusal:
            yield ReadFailure(id_, refusal.code, str(refusal))
    if empty:
        raise _RefusedError("empty", "the file holds no rows")


def _document(row: Mapping[str, Any], id_: str, name: str) -> Document:
    """Make a document of a row: an article, or one sentence (`text`) between the sentences around it."""
    text = _checked(row.get("text"))
    before, after = _context(row, "before"), _context(row, "after")
    if before is None and after is None:
        return Document(id_, text, None, name)
    sentences = tuple(Sentence(sentence) for sentence in (*(before or ()), text, *(after or ())))
    judged = (len(before or ()),)
    joined, offsets = article_text(Article(id_, id_, sentences, judged))
    return Document(id_, joined, tuple(offsets), name, judged)


def _context(row: Mapping[str, Any], key: str) -> list[str] | None:
    value = row.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _RefusedError("bad_row", f"'{key}' must be a list of sentences")
    return [_checked(item) for item in value if item.strip()]


def _read_jsonl(stream: io.BufferedReader, name: str) -> Iterator[Document | ReadFailure]:
    with _lines(stream, "\n") as lines:
        yield from _rows((_parse(line) for line in lines if line.strip()), name)


def _parse(line: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        return _RefusedError("bad_json", f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return _RefusedError("bad_json", f"not JSON: {error}")


def _read_json(stream: io.BufferedReader, name: str) -> Iterator[Document | ReadFailure]:
    """Read one object or an array of them, held in memory; or JSON Lines under the wrong name."""
    text = _decode(stream.read())
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        if "Extra data" not in str(error):
            raise _RefusedError("bad_json", f"not JSON: {error}") from error
        found = [_parse(line) for line in text.split("\n") if line.strip()]
    yield from _rows(found if isinstance(found, list) else [found], name)


def _delimiter(header: str) -> str | None:
    """Return what parts a table's columns, if its first line has a `text` among several."""
    for delimiter in ",;\t":
        cells = next(csv.reader([header], delimiter=delimiter), [])
        if len(cells) > 1 and "text" in (cell.strip() for cell in cells):
            return delimiter
    return None


def _read_csv(stream: io.BufferedReader, name: str) -> Iterator[Document | ReadFailure]:
    csv.field_size_limit(2**30)  # an article can be longer than the library's default of 128 KiB
    with _lines(stream, "") as lines:
        header = lines.readline()
        _check_unicode(header, "header: ")
        delimiter = _delimiter(header) or ("\t" if name.lower().endswith(".tsv") else ",")
        columns = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
        if "text" not in columns:
            raise _RefusedError("no_text", f"no column 'text'; found {', '.join(columns)[:80] or 'nothing'}")
        yield from _rows(_cells(csv.reader(lines, delimiter=delimiter, strict=True), columns), name)


def _cells(table: Iterator[list[str]], columns: Sequence[str]) -> Iterator[object]:
    while True:
        try:
            cells = next(table)
            if len(cells) > len(columns):
                where = f"{len(cells)} cells under {len(columns)} columns"
                yield _RefusedError("bad_csv", f"{where}; put a text that holds the delimiter in double quotes")
            elif cells:
                yield {key: cell for key, cell in zip(columns, cells, strict=False) if key in ("id", "text")}
        except StopIteration:
            return
        except csv.Error as error:
            yield _RefusedError("bad_csv", f"a double quote is not closed or not doubled ({error})")


def _read_parquet(stream: io.BufferedReader, name: str) -> Iterator[Document | ReadFailure]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        message = "reading Parquet needs an extra: pip install 'onrecord[parquet]'"
        raise _RefusedError("missing_extra", message) from error
    if name == STDIN:
        raise _RefusedError("unreadable", "Parquet cannot be read from a pipe; save it to a file first")
    try:
        file = pq.ParquetFile(stream)
        names = file.schema_arrow.names
        if "text" not in names:
            raise _RefusedError("no_text", f"no column 'text'; found {', '.join(names)[:80]}")
        columns = [column for column in ("id", "text", "before", "after") if column in names]
        batches = file.iter_batches(batch_size=256, columns=columns)
        yield from _rows((row for batch in batches for row in batch.to_pylist()), name)
    except pa.ArrowException as error:
        raise _RefusedError("bad_parquet", str(error).partition("\n")[0]) from error


_READERS: dict[Form, Callable[[io.BufferedReader, str], Iterator[Document | ReadFailure]]] = {
    "text": _read_text,
    "html": _read_html,
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
}

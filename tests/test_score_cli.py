"""`onrecord score`, with a stand-in for the model."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onrecord.model
import pytest
from onrecord.cli import app
from onrecord.cli.score import ScoreOptions, score, score_documents
from onrecord.cli.table import article_table, visible, write_table
from onrecord.cli.writers import COUNTS, FORMATS, Tally
from onrecord.data.read import Document, ReadFailure
from onrecord.data.records import OnrecordError
from onrecord.model.scored import ScoredArticle
from rich.console import Console
from typer.testing import CliRunner, Result

from .standin import MODEL, CueScorer

TEXT = "Bridge shut\n\nTwo aides said no. Ana Ruiz said yes.\n\nIt reportedly fell."
LABELS_OF_TEXT = ["none", "anonymous", "attributed", "unverified"]


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onrecord.model, "load", lambda path=None, *, threads=None: CueScorer())


@pytest.fixture
def article(tmp_path: Path) -> Path:
    file = tmp_path / "a.txt"
    file.write_text(TEXT)
    return file


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments)], input=stdin, catch_exceptions=False)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def save_rows(path: Path, rows: Iterable[object]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


# Output


def test_json_lines_hold_a_scored_article_each(article: Path) -> None:
    result = run(article, article)
    assert result.exit_code == 0
    records = lines(result.stdout)
    assert len(records) == 2
    assert records[0]["schema_version"] == 1
    assert records[0]["id"] == str(article)
    assert records[0]["model"] == {"name": MODEL.name, "sha256": MODEL.sha256}
    assert [sentence["label"] for sentence in records[0]["sentences"]] == [
        "none",
        "anonymous",
        "attributed",
        "unverified",
    ]
    for sentence in records[0]["sentences"]:
        assert sentence["text"] == TEXT[sentence["start"] : sentence["end"]]
        assert all(span["text"] == TEXT[span["start"] : span["end"]] for span in sentence["evidence"])
    assert records[0]["summary"]["anonymous"] == 1


def test_json_is_an_object_for_one_article_and_an_array_for_more(article: Path) -> None:
    one = json.loads(run(article, "--format", "json").stdout)
    assert json.loads(run(article, article, article, "--format", "json").stdout) == [one] * 3


def test_csv_has_a_row_a_sentence(article: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(article, "--format", "csv").stdout)))
    assert [row["label"] for row in rows] == LABELS_OF_TEXT
    assert rows[1]["text"] == "Two aides said no."
    assert rows[1]["sources"] == "Two aides"
    assert rows[3]["hedges"] == "reportedly"
    assert rows[0]["model_sha256"] == MODEL.sha256
    assert sum(float(rows[0][label]) for label in LABELS_OF_TEXT) == pytest.approx(1, abs=1e-3)
    assert TEXT[int(rows[2]["start"]) : int(rows[2]["end"])] == rows[2]["text"]


def test_html_is_one_page(article: Path) -> None:
    page = run(article, "--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert page.count("<article") == 1


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_fits_its_terminal_and_shows_everything(width: int) -> None:
    scored = CueScorer().score(TEXT, id="a.txt")
    text = "".join(write_table([scored], Tally(), console=Console(width=width)))
    assert max(len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    for words in (
        "○ anonymous",
        "● attributed",
        "? unverified",
        "Two aides said no.",
        "source: Two aides",
        "hedge: reportedly",
    ):
        assert words in flat
    for words in (
        "Identified sources (1): Ana Ruiz [3]",
        "Unidentified sources (1): Two aides [2]",
        "not whether it is true",
    ):
        assert words in flat
    assert MODEL.sha256[:12] in flat


def test_a_text_cannot_steer_the_terminal() -> None:
    scored = CueScorer().score("Two aides said \x1b[31mno\x1b[0m [bold]yes[/bold] \u202eabc\u202c.", id="a\x1b]0;x\x07")
    console = Console(width=100, force_terminal=False)
    with console.capture() as captured:
        console.print(article_table(scored))
    assert not set(captured.get()) & {"\x1b", "\x07", "\u202e"}
    assert "[bold]yes[/bold]" in captured.get()
    assert visible("a\tb\nc 👩\u200d🚒") == "a b c 👩\u200d🚒"


def test_the_table_is_for_a_terminal_only_when_it_is_not_asked_for(article: Path) -> None:
    assert run(article).stdout.startswith("{")
    assert "sentence, and what the label rests on" in run(article, "--format", "table").stdout


@pytest.mark.parametrize(
    ("name", "start"), [("o.html", "<!doctype"), ("o.csv", "id,index"), ("o.json", "{\n"), ("o", '{"sch')]
)
def test_the_format_follows_the_name_of_the_output(article: Path, tmp_path: Path, name: str, start: str) -> None:
    result = run(article, "-o", tmp_path / name)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert (tmp_path / name).read_text().startswith(start)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["a.txt", name])


# Summaries


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT)
    (folder / "b.txt").write_text("Ana Ruiz said so. She said it twice.")
    (folder / "c.txt").write_bytes(b"\xff")
    return folder


def test_a_summary_in_json_lines_has_no_text_and_ends_with_the_total(folder: Path) -> None:
    result = run(folder, "--summary")
    assert result.exit_code == 3
    first, second, failed, total = lines(result.stdout)
    assert set(first) == {"schema_version", "id", "model", "language", "sources", "summary"}
    assert second["summary"]["attributed"] == 2
    assert failed["error"]["code"] == "encoding"
    assert total["total"] == {
        "articles": 2, "failed": 1, "sentences": 6, "attributed": 3, "anonymous": 1, "unverified": 1, "none": 1,
        "abstained": first["summary"]["abstained"] + second["summary"]["abstained"],
    }  # fmt: skip
    (whole,) = [json.loads(run(folder, "--summary", "--format", "json").stdout)]
    assert whole == {"schema_version": 1, "articles": [first, second, failed], "total": total["total"]}


def test_a_summary_in_csv_has_a_row_an_article_and_a_total(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(folder, "--summary", "--format", "csv").stdout)))
    assert [Path(row["id"]).name for row in rows] == ["a.txt", "b.txt", "total"]
    for name in COUNTS:
        assert int(rows[2][name]) == int(rows[0][name]) + int(rows[1][name])
    assert rows[0]["unidentified_sources"] == "1"


def test_a_summary_table_has_a_line_an_article_and_a_total(folder: Path) -> None:
    text = run(folder, "--summary", "--format", "table").stdout
    assert "a.txt" in text
    assert "total of 2" in text
    assert "1 input failed" in text
    assert max(len(line) for line in text.splitlines()) <= 100


# Failures and exit codes


def test_a_bad_input_gives_an_error_record_and_the_rest_is_scored(article: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "missing.txt", article)
    assert result.exit_code == 3
    failed, scored = lines(result.stdout)
    assert failed == {
        "schema_version": 1,
        "id": str(tmp_path / "missing.txt"),
        "error": {"code": "not_found", "message": "no such file or folder"},
    }
    assert scored["id"] == str(article)
    assert f"onrecord: {tmp_path / 'missing.txt'}: no such file or folder\n" in result.stderr


def test_an_article_that_cannot_be_scored_fails_alone(tmp_path: Path) -> None:
    file = save_rows(tmp_path / "a.jsonl", [{"text": "One."}, {"id": "x", "text": "BOOM"}, {"text": "Two."}])
    result = run(file)
    assert result.exit_code == 3
    assert [record.get("error", {}).get("code") for record in lines(result.stdout)] == [None, "scoring", None]
    assert "onrecord: x: RuntimeError: the session is gone" in result.stderr


def test_when_nothing_could_be_scored_the_exit_code_is_1(tmp_path: Path) -> None:
    assert run(tmp_path / "missing.txt").exit_code == 1
    (tmp_path / "empty.txt").write_text("")
    result = run(tmp_path / "empty.txt", "--format", "csv")
    assert result.exit_code == 1
    assert "the file is empty" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.txt", "--format", "xml"],
        ["a.txt", "--input-format", "docx"],
        ["a.txt", "--device", "tpu"],
        ["a.txt", "--threads", "0"],
        ["a.txt", "--min-confidence", "1.5"],
        ["a.txt", "--resume"],
        ["a.txt", "--resume", "-o", "o.csv"],
        ["-", "--resume", "-o", "o.jsonl"],
        ["a.txt", "--summary", "--format", "html"],
        ["a.txt", "-o", "o.xlsx"],
    ],
)
def test_wrong_usage_exits_2_with_a_line_that_says_why(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_output_that_cannot_be_written_is_an_error(article: Path, tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="No such file"):
        score(ScoreOptions((str(article),), output=tmp_path / "no" / "o.jsonl"))


def test_an_output_that_is_an_input_is_refused(article: Path) -> None:
    with pytest.raises(OnrecordError, match="write to another file"):
        score(ScoreOptions((str(article.parent),), output=article))
    assert article.read_text() == TEXT


def test_an_output_that_is_no_file_is_refused_before_anything_is_scored(article: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "elsewhere")
    for output, words in ((tmp_path, "folder"), (Path(), "folder"), (pipe, "redirect"), (link, "redirect")):
        with pytest.raises(OnrecordError, match=words):
            score(ScoreOptions((str(article),), output=output))


def test_an_input_that_the_run_would_write_to_is_refused(tmp_path: Path) -> None:
    rows = save_rows(tmp_path / "o.jsonl.partial", [{"text": "Bo said no."}])
    with pytest.raises(OnrecordError, match="write to another file"):
        score(ScoreOptions((str(rows),), output=tmp_path / "o.jsonl"))
    assert rows.read_text()


def test_when_nothing_was_scored_the_output_stays_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "o.html"
    output.write_text("old")
    result = run(tmp_path / "missing.txt", "-o", output)
    assert result.exit_code == 1
    assert f"nothing was scored; {output} is not written" in result.stderr
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["o.html"]


def test_a_page_says_what_failed(article: Path, tmp_path: Path) -> None:
    run(tmp_path / "missing<b>.txt", article, "-o", tmp_path / "o.html")
    page = (tmp_path / "o.html").read_text()
    assert "missing&lt;b&gt;.txt: no such file or folder" in page
    assert "1 input could not be read or scored and is missing here" in page


def test_closed_standard_output_is_an_error(monkeypatch: pytest.MonkeyPatch, article: Path) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OnrecordError, match="closed"):
        score(ScoreOptions((str(article),)))


def test_standard_input_is_scored() -> None:
    (record,) = lines(run("-", stdin=TEXT).stdout)
    assert record["id"] == "-"
    assert record["text"] == TEXT


def test_another_language_is_flagged_and_told() -> None:
    german = "Der Bürgermeister sagte am Freitag, dass die Brücke in der Nacht gesperrt worden sei, weil es brenne."
    result = run("-", stdin=german)
    assert lines(result.stdout)[0]["language"] == "other"
    assert "1 article does not look like English" in result.stderr
    assert "does not look like English" in run("-", "--format", "table", stdin=german).stdout
    total = run("-", "--format", "table", "--summary", stdin=german).stdout
    assert "-*" in total
    assert "* not English, as it seems: 1" in total


def test_min_confidence_marks_sentences_and_leaves_their_labels(article: Path) -> None:
    (loose,) = lines(run(article, "--min-confidence", "0").stdout)
    (strict,) = lines(run(article, "--min-confidence", "1").stdout)
    assert loose["summary"]["abstained"] == 0
    assert strict["summary"]["abstained"] == 4
    for one, other in zip(loose["sentences"], strict["sentences"], strict=True):
        assert other == one | {"abstained": True}


def test_a_labelled_row_gives_its_own_sentence_only(tmp_path: Path) -> None:
    row = {"id": "r", "text": "She said yes.", "before": ["Ana Ruiz said no."], "after": ["Two aides said nothing."]}
    (record,) = lines(run(save_rows(tmp_path / "a.jsonl", [row])).stdout)
    assert record["text"] == "Ana Ruiz said no. She said yes. Two aides said nothing."
    assert [(sentence["index"], sentence["text"]) for sentence in record["sentences"]] == [(1, "She said yes.")]
    assert record["summary"]["sentences"] == 1
    assert [source["sentences"] for source in record["sources"]] == [[1]]


def test_articles_keep_their_order_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onrecord.cli.score.BATCH_DOCUMENTS", 3)
    items = [
        ReadFailure(str(n), "x", "y") if n % 4 == 1 else Document(str(n), "BOOM" if n == 6 else "One.", None, "a")
        for n in range(11)
    ]
    results = list(score_documents(CueScorer(), items))  # type: ignore[arg-type]
    assert [result.id for result in results] == [str(n) for n in range(11)]
    assert [n for n, result in enumerate(results) if isinstance(result, ReadFailure)] == [1, 5, 6, 9]


# Long runs


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    rows: list[object] = [{"id": f"é{n}", "text": f"Ana Ruiz said {n}.\u2028Two aides said no."} for n in range(9)]
    rows[2] = '{"text": "cut'
    rows[5] = {"id": "boom", "text": "BOOM"}
    return save_rows(tmp_path / "archive.jsonl", rows)


class Interrupt(CueScorer):
    """A scorer that is stopped at its n-th article."""

    def __init__(self, n: int) -> None:
        self.n = n

    def score_many(self, documents: Iterable[tuple[str, str, Any]]) -> Iterator[ScoredArticle]:
        """Score until it is stopped."""
        for document in documents:
            self.n -= 1
            if self.n < 0:
                raise KeyboardInterrupt
            yield self.score(document[1], id=document[0], spans=document[2])


def options(archive: Path, **changes: Any) -> ScoreOptions:
    return ScoreOptions((str(archive),), output=archive.with_name("out.jsonl"), **changes)


def stop_after(monkeypatch: pytest.MonkeyPatch, archive: Path, n: int, **changes: Any) -> Path:
    """Run until `n` articles are scored, and return the partial file."""
    with monkeypatch.context() as patch:
        patch.setattr("onrecord.cli.score.BATCH_DOCUMENTS", 1)
        patch.setattr(onrecord.model, "load", lambda path=None, *, threads=None: Interrupt(n))
        with pytest.raises(KeyboardInterrupt):
            score(options(archive, **changes))
    assert not archive.with_name("out.jsonl").exists()
    return archive.with_name("out.jsonl.partial")


@pytest.mark.parametrize("summary", [False, True])
def test_a_resumed_run_ends_with_the_bytes_of_an_uninterrupted_one(
    monkeypatch: pytest.MonkeyPatch, archive: Path, summary: bool
) -> None:
    output = archive.with_name("out.jsonl")
    whole = score(options(archive, summary=summary))
    expected = output.read_bytes()
    output.unlink()
    stop_after(monkeypatch, archive, 5, summary=summary)
    full = archive.with_name("out.jsonl.partial").read_bytes()
    head = full.index(b"\n") + 1
    ends = [place + 1 for place, byte in enumerate(full) if byte == ord("\n")]
    for size in {0, 1, head - 1, head, head + 1, *ends, *(end - 7 for end in ends), len(full)}:
        archive.with_name("out.jsonl.partial").write_bytes(full[:size])
        assert score(options(archive, summary=summary, resume=True)) == whole
        assert output.read_bytes() == expected
        assert not archive.with_name("out.jsonl.partial").exists()
        output.unlink()


def test_a_resumed_run_does_not_score_again_what_is_there(monkeypatch: pytest.MonkeyPatch, archive: Path) -> None:
    partial = stop_after(monkeypatch, archive, 3)
    assert len(partial.read_bytes().split(b"\n")) == 1 + 4 + 1  # head, three scored and one failed, nothing
    seen: list[str] = []

    class Watch(CueScorer):
        def score(self, text: str, *, id: str = "", spans: Any = None) -> ScoredArticle:  # noqa: A002
            seen.append(id)
            return super().score(text, id=id, spans=spans)

    monkeypatch.setattr(onrecord.model, "load", lambda path=None, *, threads=None: Watch())
    tally = score(options(archive, resume=True))
    assert {"é0", "é1", "é3"}.isdisjoint(seen)
    assert (tally.articles, tally.failed) == (7, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("input", "in its input"),
        ("options", "in its options"),
        ("model", "in its model"),
        ("junk", "no interrupted run"),
    ],
)
def test_a_mismatch_is_refused_and_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch, archive: Path, change: str, words: str
) -> None:
    partial = stop_after(monkeypatch, archive, 4)
    changes: dict[str, Any] = {}
    if change == "input":
        archive.write_text(archive.read_text() + '{"text": "More."}\n')
    elif change == "options":
        changes = {"min_confidence": 0.9}
    elif change == "model":
        monkeypatch.setattr(CueScorer, "id", MODEL.__class__("stand-in", "6" * 64))
    else:
        partial.write_text("id,text\n1,2\n")
    before = partial.read_bytes()
    with pytest.raises(OnrecordError, match=words):
        score(options(archive, resume=True, **changes))
    assert partial.read_bytes() == before


@pytest.mark.parametrize("junk", ["5", "null", '{"x": 1}', "[]", '"text"'])
def test_a_line_that_is_no_record_is_cut_off(monkeypatch: pytest.MonkeyPatch, archive: Path, junk: str) -> None:
    partial = stop_after(monkeypatch, archive, 3)
    partial.write_text(partial.read_text() + junk + "\n")
    assert score(options(archive, resume=True)).articles == 7


def test_a_pipe_cannot_be_resumed(archive: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OnrecordError, match="a second time"):
        score(ScoreOptions((str(pipe),), output=tmp_path / "o.jsonl", resume=True))


def test_a_run_that_fails_leaves_the_old_output_as_it_was(monkeypatch: pytest.MonkeyPatch, archive: Path) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, archive, 2)
    output = archive.with_name("out.jsonl")
    output.write_text("old")
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        stop_after(patch, archive, 2)
    assert output.read_text() == "old"


def test_every_format_has_a_writer(article: Path) -> None:
    for name in FORMATS:
        assert run(article, "--format", name).exit_code == 0

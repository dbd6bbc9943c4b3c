from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from onrecord.data.records import OnrecordError, Span
from onrecord.eval.errors import MAX_BYTES, select_errors
from onrecord.eval.predictions import Prediction
from onrecord.eval.report import STAMP, evaluate

from .eval_rows import many_rows, row, rows_of

MODEL = {"name": "toy", "sha256": "ab" * 32}
NASTY = '<script>alert("x")</script> & "quotes" \' 🙂 e\u0301 مرحبا {{ 7 * 7 }} </style> | `code` [a](javascript:b)'


def report_of(rows: list[Prediction], out: Path, **options: Any) -> dict[str, Any]:
    return evaluate(rows, out=out, **({"data_sha256": "cd" * 32, "model": MODEL} | options))


class Page(HTMLParser):
    """Collects what a test asks of a page: keyed numbers, tags, text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.unkeyed: list[str] = []
        self._key: str | None = None
        self._inside: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append((tag, dict(attrs)))
        self._key = dict(attrs).get("data-key")
        if tag in ("style", "script", "svg", "article"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Take its text."""
        self.text += data
        if self._key is not None:
            self.numbers.append((self._key, data))
        elif not self._inside:
            self.unkeyed.append(data.strip())
        self._key = None


def look_up(record: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        record = record[int(part) if isinstance(record, list) else part.replace("~1", "/").replace("~0", "~")]
    return record


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every section."""
    out = tmp_path_factory.mktemp("full")
    rows = many_rows(1500)
    spans = {f"d{at}": ([(0, 9, "none")], [(0, 9, "none" if at % 3 else "attributed")]) for at in range(9)}
    report_of(
        rows,
        out,
        data_name="toy rows",
        baselines={"always attributed": [replace(one, predicted="attributed") for one in rows]},
        by_character={"own cuts": spans},  # type: ignore[dict-item]
        speed={"sentences per second": 1234.5, "hardware": "a laptop"},
        notes=["The rows are made up."],
        development=True,
    )
    return out


def test_the_folder_holds_four_whole_files(full: Path) -> None:
    assert sorted(path.name for path in full.iterdir()) == ["errors.jsonl", "report.html", "report.json", "report.md"]


def test_every_number_of_the_page_is_the_one_in_the_json(full: Path) -> None:
    report, page = json.loads((full / "report.json").read_text()), Page(full / "report.html")
    assert len(page.numbers) > 250
    for pointer, shown in page.numbers:
        value = look_up(report, pointer)
        if isinstance(value, int):
            assert shown == str(value)
        else:
            digits = len(shown.partition(".")[2])
            assert float(shown) == pytest.approx(value, abs=0.51 * 10**-digits), pointer
    keys = {pointer for pointer, _ in page.numbers}
    assert {"/macro_f1/value", "/mcc/ci95/0", "/harmful/rate/value", "/evidence/cue/overlap_f1_right_label"} <= keys


def test_no_other_figure_stands_on_the_page_but_in_the_sentences_of_the_json(full: Path) -> None:
    sentences = json.dumps(json.loads((full / "report.json").read_text()), ensure_ascii=False)
    decimal = re.compile(r"(?<![\d.])\d*\.\d+(?![\d.])")  # no version
    assert not [text for text in Page(full / "report.html").unkeyed if decimal.search(text) and text not in sentences]


def test_the_page_loads_nothing(full: Path) -> None:
    page = Page(full / "report.html")
    assert not [tag for tag, _ in page.tags if tag in ("link", "img", "iframe", "object", "embed")]
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name == "src"]
    assert {attributes["href"] for tag, attributes in page.tags if tag == "a"} == {"#errors"}
    assert "default-src 'none'" in (full / "report.html").read_text()


def test_the_report_has_the_keys_of_the_format(full: Path) -> None:
    report = json.loads((full / "report.json").read_text())
    assert report["schema_version"] == 1
    assert report["n_sentences"] == 1500
    assert report["data"]["sha256"] == "cd" * 32
    assert report["model"] == MODEL
    for name in ("accuracy", "macro_f1", "mcc"):
        low, high = report[name]["ci95"]
        assert low < report[name]["value"] < high
    for entry in report["per_label"].values():
        assert {"precision", "recall", "f1", "support", "f1_ci95", "precision_ci95", "recall_ci95"} <= entry.keys()
    for entry in report["evidence"].values():
        assert entry is None or {"exact_f1", "overlap_f1", "support"} <= entry.keys()
    assert {"ece", "brier", "bins", "before"} <= report["calibration"].keys()
    assert sum(map(sum, report["confusion"]["counts"])) == 1500


def test_every_rendering_of_a_development_set_says_so_and_names_the_model(full: Path, tmp_path: Path) -> None:
    names = ("report.json", "report.md", "report.html", "errors.jsonl")
    for name in names:
        text = (full / name).read_text()
        assert STAMP in text
        assert MODEL["name"] in text
        assert MODEL["sha256"] in text
    report_of(rows_of("aa oa nn un"), tmp_path)
    for name in names:
        assert STAMP not in (tmp_path / name).read_text()


def test_the_same_predictions_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        report_of(many_rows(200), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_figures_of_a_worked_example(tmp_path: Path) -> None:
    report = report_of(rows_of("aa aa an oo oa uu nn nn"), tmp_path)
    assert report["accuracy"]["value"] == 0.75
    assert report["per_label"]["anonymous"]["recall"] == 0.5
    assert report["per_label"]["attributed"]["f1"] == pytest.approx(2 / 3, abs=1e-6)
    assert report["harmful"]["count"] == 1
    assert report["harmful"]["rate"]["value"] == 0.5
    assert report["harmful"]["share_of_attributed"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert report["confusion"]["counts"] == [[2, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]]
    assert report["confusion"]["row_shares"][1] == [0.5, 0.5, 0, 0]
    assert report["errors"] == {"n": 2, "n_shown": 2, "n_left_out": 0}


def test_a_baseline_of_the_same_rows_stands_beside_the_model_with_a_paired_difference(full: Path) -> None:
    baseline = json.loads((full / "report.json").read_text())["baselines"][0]
    assert baseline["name"] == "always attributed"
    assert baseline["harmful_rate"]["value"] == 1
    assert baseline["ahead"]["ci95"][0] > 0.3


def test_a_baseline_of_other_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="baseline 'tf-idf'"):
        report_of(rows_of("aa nn"), tmp_path, baselines={"tf-idf": rows_of("aa")})
    assert not list(tmp_path.iterdir())


def test_rows_without_doc_context_and_spans_are_handled_and_named(tmp_path: Path) -> None:
    report = report_of(rows_of("aa oa nn un " * 20, doc=None), tmp_path)
    assert report["n_rows_without_doc"] == report["n_docs"] == 80
    assert "80 of 80 rows name no article" in " ".join(report["cautions"])
    assert report["evidence"] == {"source": None, "cue": None, "hedge": None}
    reasons = " ".join(report["not_computed"])
    assert "Evidence of 80 of 80 sentences" in reasons
    assert "Calibration before temperature" in reasons
    assert "the sentences around them are not in the file" in reasons
    assert "Slices by genre, style, position, source or context" in reasons


def test_a_label_that_is_missing_is_null_and_macro_f1_says_how_many_it_averages(tmp_path: Path) -> None:
    report = report_of(rows_of("aa an nn na " * 20), tmp_path)
    assert report["per_label"]["anonymous"] is None
    assert report["n_labels"] == 2
    assert report["macro_f1"]["value"] == 0.5
    assert report["harmful"]["rate"] == {"value": None, "ci95": None}
    assert "No sentence is labelled anonymous or unverified" in " ".join(report["not_computed"])
    assert report["verdict"]["level"] == "weak"
    assert "No anonymous sentence is in the file" in (tmp_path / "report.html").read_text()


def test_one_class_only_has_no_mcc_and_no_verdict(tmp_path: Path) -> None:
    report = report_of(rows_of("nn nn na nn " * 20), tmp_path)
    assert report["mcc"] == {"value": None, "ci95": None}
    assert report["precision_recall"] == dict.fromkeys(report["per_label"])
    assert report["verdict"]["level"] == "unknown"
    assert "MCC: all sentences have, or are given, one label." in report["not_computed"]


def test_one_row_is_a_report_without_intervals(tmp_path: Path) -> None:
    report = report_of(rows_of("oo"), tmp_path)
    assert report["accuracy"] == {"value": 1, "ci95": None}
    assert report["verdict"]["level"] == "unknown"
    assert "Intervals: all sentences are of one article." in report["not_computed"]


def test_support_under_30_says_too_few(tmp_path: Path) -> None:
    metas = [{"genre": "war" if at % 4 else "sport"} for at in range(80)]
    rows = [replace(one, meta=meta) for one, meta in zip(rows_of("aa oa nn un " * 20), metas, strict=True)]
    report = report_of(rows, tmp_path)
    assert all(entry["too_few"] for entry in report["per_label"].values())
    assert "attributed (20)" in " ".join(report["cautions"])
    groups = {group["value"]: group for group in report["slices"][0]["groups"]}
    assert groups["sport"]["macro_f1"] is None
    assert groups["war"]["macro_f1"] is not None
    assert "| genre | sport | 20 | 20 | too few | too few |" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "report.html").read_text().count("too few") >= 6


def test_a_slice_of_few_articles_has_no_figures_however_many_sentences(tmp_path: Path) -> None:
    rows = [
        row(f"r{at}", "none", "none", doc=f"d{at // 20}", meta={"genre": "sport" if at < 80 else "war"})
        for at in range(200)
    ]
    report = report_of(rows, tmp_path)
    groups = {group["value"]: group for group in report["slices"][0]["groups"]}
    assert (groups["sport"]["n"], groups["sport"]["n_docs"], groups["sport"]["accuracy"]) == (80, 4, None)
    assert groups["war"]["accuracy"]["value"] == 1
    assert "Figures of 1 slices: under 30 sentences or 5 articles, too few." in report["not_computed"]


def test_a_slice_that_is_surely_below_the_file_is_marked_and_named(tmp_path: Path) -> None:
    rows = [
        row(f"r{at}", "none", "attributed" if at % 2 else "none", meta={"genre": "sport"})
        if at < 60
        else row(f"r{at}", "none", "none", meta={"genre": "war"})
        for at in range(400)
    ]
    report = report_of(rows, tmp_path)
    assert {group["value"]: group["below"] for group in report["slices"][0]["groups"]} == {"war": False, "sport": True}
    assert "Most frequent errors: none called attributed (30); 30 in all." in report["to_mend"]
    assert "genre “sport”, 50 of 100 right" in " ".join(report["to_mend"])
    assert (tmp_path / "report.html").read_text().count("▼ below</span>") == 1


def test_a_slice_says_how_many_of_its_labels_have_too_few_sentences(tmp_path: Path) -> None:
    rows = [
        row(f"r{at}", "none" if at % 20 else "unverified", "none", text="“Go,” he said." * (at % 2))
        for at in range(200)
    ]
    group = report_of(rows, tmp_path)["slices"][0]["groups"][1]
    assert (group["n_labels"], group["n_few_labels"]) == (2, 1)
    assert "(2, 1 too few)" in (tmp_path / "report.md").read_text()


def test_no_harmful_error_among_40_articles_is_not_none_anywhere(tmp_path: Path) -> None:
    report = report_of(rows_of("aa oo uu nn " * 40), tmp_path)
    # 1 - 0.025^(1/40)
    assert report["harmful"]["rate"] == {"value": 0, "ci95": [0, pytest.approx(0.0881, abs=1e-4)]}
    assert (
        "0 of 40 anonymous sentences called attributed, 0 % (95 % interval 0 to 9)."
        in report["verdict"]["sentences"][1]
    )


def test_few_articles_are_never_called_reliable(tmp_path: Path) -> None:
    rows = [replace(one, doc=f"d{at % 19}") for at, one in enumerate(rows_of("aa oo uu nn aa oo uu nn an " * 60))]
    assert report_of(rows, tmp_path)["verdict"]["level"] != "reliable"


@pytest.mark.parametrize("name", ["macro F1", "accuracy", "MCC", "anonymous called attributed", "source"])
def test_a_file_of_three_rows_says_too_few_at_every_figure(tmp_path: Path, name: str) -> None:
    spans = (Span(0, 8, "source"),)
    report_of([replace(one, spans=spans) for one in rows_of("aa oo nn")], tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert re.search(rf"{name}(?:(?!</?div|<tr).)*too few", text, re.DOTALL)


@pytest.mark.parametrize(
    ("pairs", "level"),
    [("aa oo uu nn " * 40, "reliable"), ("aa oo uu nn na nn nn an " * 40, "useful"), ("aa oa un nn " * 40, "weak")],
)
def test_the_verdict_follows_its_rule(tmp_path: Path, pairs: str, level: str) -> None:
    assert report_of(rows_of(pairs), tmp_path)["verdict"]["level"] == level


def test_the_most_probable_label_stands_beside_the_decision(tmp_path: Path) -> None:
    rows = [replace(one, argmax="none") for one in rows_of("aa oo nn")]
    report = report_of(rows, tmp_path)
    assert report["argmax"]["n_changed"] == 2
    assert report["argmax"]["accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert report_of(rows_of("aa oo nn"), tmp_path)["argmax"] is None


def test_no_rows_and_a_model_without_a_hash_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="no predictions to evaluate"):
        report_of([], tmp_path)
    with pytest.raises(OnrecordError, match="the model has no 'sha256'"):
        report_of(rows_of("aa"), tmp_path, model={"name": "toy"})


def test_a_sentence_that_looks_like_markup_is_shown_as_text(tmp_path: Path) -> None:
    report_of(
        [
            row(NASTY, "anonymous", "attributed", text=NASTY, doc=NASTY, before=(NASTY,), meta={"genre": NASTY}),
            row("b", "none", "none", meta={"genre": "war"}),
        ],
        tmp_path,
        data_name=NASTY,
        model=MODEL | {"name": NASTY},
        notes=[NASTY],
        speed={NASTY: NASTY},
    )
    page = Page(tmp_path / "report.html")
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert NASTY in page.text
    assert "alert" not in {name for _, attributes in page.tags for name in attributes}
    markdown = (tmp_path / "report.md").read_text()
    assert "<script" not in markdown
    assert "[a](javascript" not in markdown


def test_errors_are_listed_whole_and_shown_by_confidence(tmp_path: Path) -> None:
    rows = [row(str(at), "none", "attributed", confidence=0.4 + at / 100) for at in range(5)]
    report_of(rows, tmp_path)
    records = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert [record["id"] for record in records] == ["4", "3", "2", "1", "0"]
    assert records[0]["confidence"] == 0.44
    shown = [attributes["data-id"] for tag, attributes in Page(tmp_path / "report.html").tags if tag == "article"]
    assert shown == ["4", "3", "2", "1", "0"]


def test_the_page_shows_the_500_most_confident_errors_and_up_to_500_harmful_ones(tmp_path: Path) -> None:
    plain = [row(f"n{at}", "none", "attributed", confidence=0.9 - at / 10_000) for at in range(700)]
    harmful = [row(f"o{at}", "anonymous", "attributed", confidence=0.5 - at / 10_000) for at in range(600)]
    report = report_of(plain + harmful, tmp_path)
    assert report["errors"] == {"n": 1300, "n_shown": 1000, "n_left_out": 300}
    shown = [attributes["data-id"] for tag, attributes in Page(tmp_path / "report.html").tags if tag == "article"]
    assert shown == [f"n{at}" for at in range(500)] + [f"o{at}" for at in range(500)]
    assert len((tmp_path / "errors.jsonl").read_text().splitlines()) == 1300


@pytest.mark.parametrize("character", ["<", "🙂", "a"])
def test_the_longest_sentences_do_not_make_the_page_too_large(tmp_path: Path, character: str) -> None:
    long = character * 400_000
    rows = [row(str(at), "anonymous", "attributed", text=long, before=(long,)) for at in range(3)]
    rows += [
        row(str(at), "none", "attributed", text=character * 900, before=(character * 300,)) for at in range(3, 999)
    ]
    report_of(rows, tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 5_000_000
    assert len(select_errors(rows)) * 900 < MAX_BYTES


def test_50_000_rows_take_under_a_minute_and_a_page_under_5_mb(tmp_path: Path) -> None:
    rows = many_rows(50_000)
    start = time.monotonic()
    report = report_of(rows, tmp_path, baselines={"itself": rows})
    assert time.monotonic() - start < 60
    assert report["n_docs"] == 2500
    assert (tmp_path / "report.html").stat().st_size < 5_000_000


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OnrecordError, match="file"):
        report_of(rows_of("aa"), tmp_path / "file")

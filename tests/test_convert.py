"""Importing from brat and Label Studio, exporting to Label Studio."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from onrecord.data import convert
from onrecord.data.convert import SPAN_NAMES, label_studio_tasks, read_brat, read_label_studio
from onrecord.data.corpus import parse_marked
from onrecord.data.labels import LABELS, Label
from onrecord.data.records import Article, OnrecordError, Sentence, Span
from onrecord.data.rows import article_to_rows, row_to_article

TEXT = (
    "The mill in Halden burned for two days. “We saw smoke,” the mayor said. “Then nothing. It was quiet.”\n\n"
    "Two aides, who asked not to be named, said the owner had been warned. 🚒 It rained."
)
MAYOR = ("We saw smoke", "the mayor", "said", "Then nothing. It was quiet")
AIDES = ("the owner had been warned", "Two aides, who asked not to be named,", "said the")


def at(piece: str, text: str = TEXT) -> str:
    start = text.index(piece)
    return f"{start} {start + len(piece)}"


def standoff(*more: str, text: str = TEXT) -> str:
    """Write brat annotations as PolNeAR has them: an event ties source, cue and a content in two pieces."""
    said = text.index("said the owner")
    return "\n".join(
        (
            f"T1\tSource {at('the mayor', text)}\tthe mayor",
            f"T2\tCue {at('said', text)}\tsaid",
            f"T3\tContent {at('We saw smoke', text)};{at('Then nothing. It was quiet', text)}"
            "\tWe saw smoke Then nothing. It was quiet",
            f"T4\tAttribution {at('said', text)}\tsaid",
            "E1\tAttribution:T4 Content:T3 Cue:T2 Source:T1",
            f"T5\tSource {at('Two aides, who asked not to be named', text)}\tTwo aides, who asked not to be named",
            f"T6\tCue {said} {said + 4}\tsaid",
            f"T7\tContent {at('the owner had been warned', text)}\tthe owner had been warned",
            f"T8\tAttribution {said} {said + 4}\tsaid",
            "E2\tAttribution:T8 Content:T7 Cue:T6 Source:T5",
            *more,
            "",
        )
    )


def save_brat(folder: Path, ann: str, text: str = TEXT) -> Path:
    (folder / "mill.txt").write_bytes(text.encode())
    (folder / "mill.ann").write_text(ann, encoding="utf-8")
    return folder / "mill.ann"


def shown(article: Article) -> list[tuple[str, Label | None, list[tuple[str, str]]]]:
    return [
        (s.text, s.label, [(span.tag, s.text[span.start : span.end]) for span in s.spans or ()])
        for s in article.sentences
    ]


# brat


def test_brat_sources_and_cues_become_spans_without_labels(tmp_path: Path) -> None:
    (article,) = read_brat(save_brat(tmp_path, standoff()))
    assert (article.id, article.doc) == ("mill", "mill")
    assert shown(article) == [
        ("The mill in Halden burned for two days.", None, []),
        ("“We saw smoke,” the mayor said.", None, [("source", "the mayor"), ("cue", "said")]),
        ("“Then nothing. It was quiet.”", None, []),
        (
            "Two aides, who asked not to be named, said the owner had been warned.",
            None,
            [("source", "Two aides, who asked not to be named"), ("cue", "said")],
        ),
        ("🚒 It rained.", None, []),
    ]


def test_known_kinds_of_all_sources_give_a_label(tmp_path: Path) -> None:
    path = save_brat(tmp_path, standoff("A1\tKind T1 identified", "A2\tUnidentified T5"))
    (article,) = read_brat(path)
    # The quotation that runs on has no span of its own; what stands outside all attributions may be hearsay.
    assert [sentence.label for sentence in article.sentences] == [None, "attributed", "attributed", "anonymous", None]
    assert [span.kind for s in article.sentences for span in s.spans or () if span.tag == "source"] == [
        "identified",
        "unidentified",
    ]


def test_a_kind_that_is_unknown_leaves_the_sentence_without_label(tmp_path: Path) -> None:
    (article,) = read_brat(save_brat(tmp_path, standoff("A2\tKind T5 unidentified")))
    assert [sentence.label for sentence in article.sentences] == [None, None, None, "anonymous", None]


def test_relations_tie_as_events_do(tmp_path: Path) -> None:
    ann = standoff("A1\tKind T1 identified", "R1\tAttribution Arg1:T3 Arg2:T2", "R2\tAttribution Arg1:T2 Arg2:T1")
    ann = re.sub(r"E1\t.*\n", "", ann)
    (article,) = read_brat(save_brat(tmp_path, ann))
    assert [sentence.label for sentence in article.sentences][:3] == [None, "attributed", "attributed"]


def test_a_source_shared_by_two_attributions_does_not_join_them(tmp_path: Path) -> None:
    ann = standoff("A1\tIdentified T1", "A2\tUnidentified T5").replace("Source:T5", "Source:T5 Source:T1")
    (article,) = read_brat(save_brat(tmp_path, ann))
    assert [sentence.label for sentence in article.sentences] == [None, "attributed", "attributed", "anonymous", None]


def test_lines_may_stand_in_any_order(tmp_path: Path) -> None:
    ann = standoff("A1\tKind T1 identified")
    (forwards,) = read_brat(save_brat(tmp_path, ann))
    (backwards,) = read_brat(save_brat(tmp_path, "\n".join(reversed(ann.splitlines()))))
    assert backwards == forwards


def test_offsets_count_carriage_returns(tmp_path: Path) -> None:
    text = TEXT.replace("\n", "\r\n")
    (article,) = read_brat(save_brat(tmp_path, standoff(text=text), text))
    assert shown(article)[3][2] == [("source", "Two aides, who asked not to be named"), ("cue", "said")]


def test_the_layout_of_polnear_is_found(tmp_path: Path) -> None:
    for folder in ("text", "attributions"):
        (tmp_path / "train" / folder).mkdir(parents=True)
    (tmp_path / "train/text/mill_1.txt").write_text(TEXT, encoding="utf-8")
    for annotator in ("4b22", "ef2d"):
        (tmp_path / f"train/attributions/mill_1_{annotator}.ann").write_text(standoff(), encoding="utf-8")
    articles = read_brat(tmp_path)
    assert [(article.id, article.doc) for article in articles] == [("mill_1_4b22", "mill_1"), ("mill_1_ef2d", "mill_1")]
    row = next(article_to_rows(articles[0]))
    assert (row["id"], row["doc"], row["after"]) == ("mill_1_4b22.000", "mill_1", ["“We saw smoke,” the mayor said."])


@pytest.mark.parametrize(
    ("ann", "told"),
    [
        (
            "T1\tSource 0 8\tThe bill\n",
            "mill.ann:1: found 'T1\tSource 0 8\tThe bill', but there the text has 'The mill'",
        ),
        ("\nT1\tSource x 8\tThe mill\n", "mill.ann:2: found"),
        ("T1\tSource 0\tThe mill\n", "mill.ann:1: found"),
        ("A1\t\n", "mill.ann:1: found"),
    ],
)
def test_a_broken_annotation_is_named_with_its_line(tmp_path: Path, ann: str, told: str) -> None:
    with pytest.raises(OnrecordError) as caught:
        read_brat(save_brat(tmp_path, ann))
    assert told in str(caught.value)


def test_a_missing_text_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match=r"no \*\.ann files"):
        read_brat(tmp_path)
    (tmp_path / "mill.ann").write_text("", encoding="utf-8")
    with pytest.raises(OnrecordError, match=r"mill\.ann: its text is missing; looked for .*mill\.txt"):
        read_brat(tmp_path)


# Label Studio


def article(*marked: tuple[Label | None, str]) -> Article:
    parsed = ((label, *parse_marked(line)) for label, line in marked)
    sentences = tuple(Sentence(text, label, spans) for label, text, spans in parsed)
    return Article("mill-1", "mill-1", sentences, tuple(range(len(sentences))), {"desk": "local"})


HELD = [
    article(
        ("none", "Mill burns 🚒"),
        ("attributed", "🙂 {s:Zoe\u0308} {c:said} so."),
        ("anonymous", "{a:Two aides} {c:said} no, {s:she} {c:said} yes."),
        ("unverified", "It {h:may} rain."),
    )
]


def export(path: Path, articles: list[Article]) -> Path:
    path.write_text(json.dumps(list(label_studio_tasks(articles))), encoding="utf-8")
    return path


def rows(articles: list[Article]) -> list[dict[str, Any]]:
    return [row for held in articles for row in article_to_rows(held)]


def test_an_export_comes_back_as_it_was(tmp_path: Path) -> None:
    assert rows(read_label_studio(export(tmp_path / "a.json", HELD))) == rows(HELD)


def test_what_is_unknown_comes_back_as_unknown(tmp_path: Path) -> None:
    mixed: list[dict[str, Any]] = [
        {"text": "Ana said so.", "spans": [{"start": 0, "end": 3, "tag": "source"}]},
        {"text": "It rained.", "label": "none"},
        {"text": "It snowed.", "label": "none", "spans": []},
        {"text": "It thawed."},
    ]
    held = [row_to_article(row, fallback_id=str(number)) for number, row in enumerate(mixed)]
    assert read_label_studio(export(tmp_path / "a.json", held)) == held


def test_a_task_shows_the_context_and_has_an_annotation() -> None:
    task = list(label_studio_tasks(HELD))[1]
    assert task["data"] == {
        "id": "mill-1.001",
        "doc": "mill-1",
        "text": "🙂 Zoe\u0308 said so.",
        "before": ["Mill burns 🚒"],
        "after": ["Two aides said no, she said yes."],
        "context": "Mill burns 🚒",
        "desk": "local",
    }
    (annotation,) = task["annotations"]
    assert annotation["result"][0]["value"] == {
        "start": 2,
        "end": 6,
        "text": "Zoe\u0308",
        "labels": ["identified source"],
    }
    assert annotation["result"][-1]["value"] == {"choices": ["attributed"]}


def task(*annotations: dict[str, Any], **data: object) -> dict[str, Any]:
    return {"id": 1, "data": {"text": "🙂 Ana said so.", **data}, "annotations": list(annotations)}


def annotation(*results: tuple[str, dict[str, Any]], **more: object) -> dict[str, Any]:
    return {"result": [{"type": kind, "value": value} for kind, value in results], **more}


NONE = ("choices", {"choices": ["none"]})
ATTRIBUTED = ("choices", {"choices": ["attributed"]})
CUE = ("labels", {"start": 6, "end": 10, "text": "said", "labels": ["cue"]})


def read(tmp_path: Path, *tasks: object, labels: dict[str, str] | None = None) -> list[Sentence]:
    (tmp_path / "a.json").write_text(json.dumps(tasks), encoding="utf-8")
    return [a.sentences[a.judged[0]] for a in read_label_studio(tmp_path / "a.json", labels=labels)]


@pytest.mark.parametrize(
    ("annotations", "label"),
    [
        ([annotation(NONE), annotation(ATTRIBUTED)], "attributed"),
        ([annotation(NONE, ground_truth=True), annotation(ATTRIBUTED)], "none"),
        ([annotation(NONE), annotation(ATTRIBUTED, was_cancelled=True)], "none"),
        ([], None),
    ],
)
def test_ground_truth_counts_else_the_last_annotation(
    tmp_path: Path, annotations: list[dict[str, Any]], label: Label | None
) -> None:
    assert read(tmp_path, task(*annotations))[0].label == label


def test_spans_are_unknown_where_no_task_has_any(tmp_path: Path) -> None:
    assert read(tmp_path, task(annotation(NONE)))[0].spans is None
    with_cue, without = read(tmp_path, task(annotation(ATTRIBUTED, CUE)), task(annotation(NONE)))
    assert (with_cue.spans, without.spans) == ((Span(6, 10, "cue"),), ())


def test_offsets_in_utf_16_units_are_told_by_their_text(tmp_path: Path) -> None:
    wide = ("labels", {"start": 7, "end": 11, "text": "said", "labels": ["cue"]})
    assert read(tmp_path, task(annotation(wide)))[0].spans == (Span(6, 10, "cue"),)


def test_the_projects_own_names_are_mapped(tmp_path: Path) -> None:
    named = annotation(("choices", {"choices": ["Named"]}), ("labels", {**CUE[1], "labels": ["Verb"]}))
    (sentence,) = read(tmp_path, task(named), labels={"Named": "attributed", "Verb": "cue"})
    assert (sentence.label, sentence.spans) == ("attributed", (Span(6, 10, "cue"),))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (task(annotation(("choices", {"choices": ["Named"]}))), 'task 2: label is "Named", allowed are attributed'),
        (task(annotation(NONE, ATTRIBUTED)), "task 2: found the labels attributed, none, expected one"),
        (task(annotation(("labels", {**CUE[1], "labels": ["verb"]}))), "evidence is called 'verb', allowed are"),
        (task(annotation(("labels", {**CUE[1], "text": "sang"}))), "evidence 'sang' does not stand at 6–10"),
        (task(annotation(NONE), text=None), "task 2: 'text' is missing"),
        ({"text": "It rained.", "label": "none"}, "task 2: not a task as Label Studio exports it"),
        ("It rained.", "task 2: not a task"),
    ],
)
def test_a_bad_task_is_named(tmp_path: Path, bad: object, told: str) -> None:
    with pytest.raises(OnrecordError) as caught:
        read(tmp_path, task(annotation(NONE)), bad)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"{", "a.json:1: not JSON"), (b"{}", "expected a list"), (b"[]", "expected a list"), (b'["\xe9"]', "not UTF-8")],
)
def test_a_bad_export_is_one_clear_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(OnrecordError, match=re.escape(told)):
        read_label_studio(tmp_path / "a.json")


def test_the_labelling_interface_in_the_guide_has_our_names() -> None:
    guide = (Path(convert.__file__).parent / "GUIDE.md").read_text(encoding="utf-8")
    assert re.findall(r'<Choice value="([^"]+)"', guide) == list(LABELS)
    assert re.findall(r'<Label value="([^"]+)"', guide) == [name for name in SPAN_NAMES if name != "source"]


def test_a_byte_order_mark_costs_no_annotation_and_equal_names_are_refused(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(TEXT, encoding="utf-8")
        (tmp_path / folder / "a.ann").write_text(standoff(), encoding="utf-8-sig")
    (found,) = read_brat(tmp_path / "x")
    (tmp_path / "y" / "a.ann").write_text(standoff(), encoding="utf-8")
    (plain,) = read_brat(tmp_path / "y")
    assert found == plain
    with pytest.raises(OnrecordError, match="have one name"):
        read_brat(tmp_path)

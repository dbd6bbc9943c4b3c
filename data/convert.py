"""Read labelled data from other tools, and write it for them.

brat (https://brat.nlplab.org/standoff.html): a `.txt` and an `.ann` of the same name; or, as in PolNeAR (Newell et al.,
2018), `attributions/NAME_ANNOTATOR.ann` beside `text/NAME.txt`. `Source` and `Cue` become evidence. `Content`, and the
events or relations that tie the three together, give a sentence its label, but only where an attribute tells the kind
of every source involved (`A1 Kind T1 unidentified`, or `A1 Unidentified T1`). Other sentences keep their evidence and
have no label. PolNeAR counts intentions and feelings as attributions too, which `GUIDE.md` does not.

Label Studio (https://labelstud.io/guide/task_format): a task a sentence, `choices` for the label and `labels` for the
evidence; `GUIDE.md` has the labelling interface.

Left out: hedges in brat, its notes and normalisations; Label Studio's JSON_MIN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from .labels import KINDS, Kind, Label, Tag
from .records import Article, OnrecordError, Sentence, Span
from .rows import article_to_rows, row_to_article
from .segment import segment

BRAT_TAGS: dict[str, Tag] = {"Source": "source", "Cue": "cue"}

SPAN_NAMES: dict[str, tuple[Tag, Kind | None]] = {
    "identified source": ("source", "identified"),
    "unidentified source": ("source", "unidentified"),
    "source": ("source", None),
    "cue": ("cue", None),
    "hedge": ("hedge", None),
}
"""What evidence is called in Label Studio."""


@dataclass(slots=True)
class _Standoff:
    """What an `.ann` file says of its text."""

    types: dict[str, str] = field(default_factory=dict)
    """`T1` → `Source`."""
    places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """`T1` → its pieces: a text-bound annotation may be discontinuous."""
    ties: list[set[str]] = field(default_factory=list)
    """What each attribution ties together."""
    kinds: dict[str, Kind] = field(default_factory=dict)


def read_brat(path: Path) -> list[Article]:
    """Read an `.ann` file with its text, or all that stand in a folder and below.

    Raises:
        OnrecordError: A file is missing or malformed, or its offsets do not fit the text.
    """
    files = sorted(path.rglob("*.ann")) if path.is_dir() else [path]
    if not files:
        raise OnrecordError(f"{path}: no *.ann files in this folder or below")
    for one, other in pairwise(sorted(files, key=lambda file: file.stem)):
        if one.stem == other.stem:
            raise OnrecordError(f"{one} and {other} have one name, which becomes the id; rename one")
    return [_read_standoff(file) for file in files]


def _read_standoff(path: Path) -> Article:
    base = path.stem.rpartition("_")[0]
    candidates = (path.with_suffix(".txt"), *(path.parent.parent / "text" / f"{n}.txt" for n in (path.stem, base)))
    source = next((file for file in candidates if file.is_file()), None)
    if source is None:
        raise OnrecordError(f"{path}: its text is missing; looked for {', '.join(map(str, candidates))}")
    text, standoff = _read_text(source), _Standoff()
    lines = list(enumerate(_read_text(path).removeprefix("\ufeff").splitlines(), 1))
    for number, line in sorted(lines, key=lambda item: not item[1].startswith("T")):  # what ties refer to comes first
        try:
            _parse_standoff(line, text, standoff)
        except (ValueError, IndexError) as error:
            raise OnrecordError(f"{path}:{number}: found '{line[:80]}', {error}") from error
    sentences = tuple(_cut_standoff(text, start, end, standoff) for start, end in segment(text))
    if not sentences:
        raise OnrecordError(f"{source}: no text")
    return Article(path.stem, source.stem, sentences, tuple(range(len(sentences))))


def _read_text(path: Path) -> str:
    """Read a file as it is: brat counts every character, a carriage return too."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise OnrecordError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise OnrecordError(f"{path}: {error.strerror}") from error


def _parse_standoff(line: str, text: str, standoff: _Standoff) -> None:
    """Take in one line of an `.ann` file."""
    name, _, rest = line.partition("\t")
    if name.startswith("T"):
        head, _, covered = rest.partition("\t")
        kind, _, offsets = head.partition(" ")
        pieces = [(int(start), int(end)) for start, end in (piece.split(" ") for piece in offsets.split(";"))]
        found = " ".join(text[start:end] for start, end in pieces)
        if found.split() != covered.split():
            raise ValueError(f"but there the text has '{found[:80]}'")
        standoff.types[name], standoff.places[name] = kind, pieces
    elif name.startswith(("E", "R")):  # E1 Attribution:T4 Source:T1 …, R1 Attribution Arg1:T1 Arg2:T2
        _tie({part.partition(":")[2] for part in rest.split() if ":" in part}, standoff)
    elif name.startswith(("A", "M")):  # A1 Kind T1 unidentified, A1 Unidentified T1
        kind, target, *value = rest.split()
        for known in KINDS:
            if known in (kind.lower(), *(word.lower() for word in value)):
                standoff.kinds[target] = known


def _tie(names: set[str], standoff: _Standoff) -> None:
    """Note what belongs to one attribution: relations that share more than a source are parts of the same."""
    links = {name for name in names if standoff.types.get(name) != "Source"}
    parts = [tie for tie in standoff.ties if tie & links]
    standoff.ties = [tie for tie in standoff.ties if tie not in parts] + [names.union(*parts)]


def _cut_standoff(text: str, start: int, end: int, standoff: _Standoff) -> Sentence:
    """Return the sentence `text[start:end]` with the evidence in it, and its label where that is known."""
    spans, touched = [], set()
    for name, pieces in standoff.places.items():
        for first, last in pieces:
            if first < end and last > start:
                touched.add(name)
                if tag := BRAT_TAGS.get(standoff.types[name]):
                    kind = standoff.kinds.get(name) if tag == "source" else None
                    spans.append(Span(max(first, start) - start, min(last, end) - start, tag, kind))
    spans.sort(key=lambda span: span.start)
    return Sentence(text[start:end], _label(touched, standoff), tuple(spans))


def _label(touched: set[str], standoff: _Standoff) -> Label | None:
    """Return the label that the kinds of all sources of a sentence's claims give it; None where one is unknown."""
    sources = {name for name, kind in standoff.types.items() if kind == "Source"}
    claims = touched - sources
    attributions = [tie & sources for tie in standoff.ties if tie & claims]
    kinds = {standoff.kinds.get(name) for names in (touched & sources, *attributions) for name in names}
    if claims and "unidentified" in kinds:
        return "anonymous"
    return "attributed" if claims and kinds == {"identified"} and all(attributions) else None


def read_label_studio(path: Path, *, labels: Mapping[str, str] | None = None) -> list[Article]:
    """Read an export of Label Studio in its JSON format, a sentence a task.

    The text is `data.text`; `id`, `doc`, `before`, `after` and other fields of `data` are taken over. Of several
    annotations of a task the one marked as ground truth counts, else the last that was not cancelled. A file without
    any region was labelled without evidence in view, so its spans are unknown.

    Args:
        path: The file.
        labels: A table from the project's own names, of labels and of evidence, to ours.

    Raises:
        OnrecordError: With file, task, what was found and what is allowed.
    """
    try:
        tasks = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise OnrecordError(f"{path}:{error.lineno}: not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(tasks, list) or not tasks:
        raise OnrecordError(f"{path}: expected a list of tasks, as Label Studio exports it in the format JSON")
    table = labels or {}
    rows = []
    for number, task in enumerate(tasks, 1):
        try:
            rows.append(_task_to_row(task, table))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told = error if type(error) is ValueError else "not a task as Label Studio exports it in the format JSON"
            raise OnrecordError(f"{path}: task {number}: {told}") from error
    seen = any(row.get("spans") for row in rows)
    articles = []
    for number, row in enumerate(rows, 1):
        if not seen:
            row.pop("spans", None)
        try:
            articles.append(row_to_article(row, fallback_id=f"{path.stem}.{number}", labels=table))
        except ValueError as error:
            raise OnrecordError(f"{path}: task {number}: {error}") from error
    return articles


def _task_to_row(task: Mapping[str, Any], table: Mapping[str, str]) -> dict[str, Any]:
    row = {name: value for name, value in task["data"].items() if name not in ("context", "spans")}
    annotations = [item for item in task.get("annotations") or () if not item.get("was_cancelled")]
    if not annotations:
        return row
    truth = [item for item in annotations if item.get("ground_truth")]
    result = (truth or annotations)[-1]["result"]
    chosen = {choice for item in result if item["type"] == "choices" for choice in item["value"]["choices"]}
    if len(chosen) > 1:
        raise ValueError(f"found the labels {', '.join(sorted(chosen))}, expected one")
    regions = [item["value"] for item in result if item["type"] == "labels"]
    if regions or task["data"].get("spans") != "unknown":
        row["spans"] = [_region_to_span(region, row["text"], table) for region in regions]
    return row | ({"label": chosen.pop()} if chosen else {})


def _region_to_span(region: Mapping[str, Any], text: str, table: Mapping[str, str]) -> dict[str, Any]:
    own = next(iter(region["labels"]), "")
    name = table.get(own, own)
    if name not in SPAN_NAMES:
        raise ValueError(f"evidence is called '{own}', allowed are {', '.join(SPAN_NAMES)}")
    start, end = region["start"], region["end"]
    covered = region.get("text", text[start:end])
    if text[start:end] != covered:  # early versions count UTF-16 units, two for an emoji
        wide = text.encode("utf-16-le")
        start, end = (len(wide[: 2 * place].decode("utf-16-le", "ignore")) for place in (start, end))
        if text[start:end] != covered:
            raise ValueError(f"evidence '{covered[:80]}' does not stand at {region['start']}–{region['end']}")
    tag, kind = SPAN_NAMES[name]
    return {"start": start, "end": end, "tag": tag, "kind": kind}


def label_studio_tasks(articles: Iterable[Article], *, before: int = 6, after: int = 1) -> Iterator[dict[str, Any]]:
    """Yield a Label Studio task for each judged sentence, with its label and evidence as an annotation.

    Args:
        articles: What is exported.
        before: Sentences of context to the left; `data.context` shows them to the annotator.
        after: Sentences of context to the right.
    """
    names = {value: name for name, value in SPAN_NAMES.items()}
    for article in articles:
        for row in article_to_rows(article, before=before, after=after):
            label, spans = row.pop("label", None), row.pop("spans", None)
            row["context"] = "\n".join(row["before"])
            if spans is None:
                row["spans"] = "unknown"
            result: list[dict[str, Any]] = [
                {
                    "id": f"span{number}",
                    "type": "labels",
                    "from_name": "evidence",
                    "to_name": "text",
                    "value": {
                        "start": span["start"],
                        "end": span["end"],
                        "text": row["text"][span["start"] : span["end"]],
                        "labels": [names[span["tag"], span.get("kind")]],
                    },
                }
                for number, span in enumerate(spans or ())
            ]
            if label is not None:
                value = {"choices": [label]}
                result.append(
                    {"id": "label", "type": "choices", "from_name": "label", "to_name": "text", "value": value}
                )
            annotated = label is not None or spans is not None
            yield {"data": row, **({"annotations": [{"result": result}]} if annotated else {})}

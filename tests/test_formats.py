"""The formats as documented, against the code that writes and reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from onrecord.cli.writers import FORMATS
from onrecord.data.corpus import read_corpus_file
from onrecord.data.labels import LABELS
from onrecord.data.read import FORMS, SUFFIXES
from onrecord.data.rows import row_to_article

from .standin import CueScorer

TEXT = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
JSON: list[dict[str, Any]] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value[:1]] if isinstance(value, list) else type(value)


def test_the_documented_scored_article_has_the_shape_of_a_real_one() -> None:
    documented = next(block for block in JSON if "sentences" in block)
    real = CueScorer().score("Two aides said no.").to_dict()
    assert _shape(documented) == _shape(real)
    assert list(documented["sentences"][0]["probabilities"]) == list(LABELS)
    for span in documented["sentences"][0]["evidence"]:
        assert documented["text"][span["start"] : span["end"]] == span["text"]


def test_the_documented_row_is_read() -> None:
    row = next(block for block in JSON if "before" in block)
    article = row_to_article(row, fallback_id="x")
    sentence = article.sentences[article.judged[0]]
    assert [sentence.text[span.start : span.end] for span in sentence.spans or ()] == ["Two divers", "spoke of"]


def test_the_documented_corpus_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(re.findall(r"```\n(# id:.*?)```", TEXT, re.DOTALL)[0], encoding="utf-8")
    (article,) = read_corpus_file(file)
    assert [sentence.label for sentence in article.sentences] == ["none", "attributed", "anonymous", "unverified"]


@pytest.mark.parametrize("word", [*FORMS, *SUFFIXES, *(name for name in FORMATS if name != "table")])
def test_every_form_and_format_is_documented(word: str) -> None:
    assert f"`{word}`" in TEXT or f"--format {word}" in TEXT


def test_every_error_code_is_documented() -> None:
    root = Path(__file__).parents[1]
    code = (root / "data" / "read.py").read_text() + (root / "cli" / "score.py").read_text()
    codes = set(re.findall(r'(?:_RefusedError\(|ReadFailure\([^,]+(?:\([^)]*\))?, )\s*"(\w+)"', code))
    assert {"empty", "scoring", "not_found", "bad_json"} <= codes
    assert {name for name in codes if f"`{name}`" not in TEXT} == set()

"""The tutorial: every command runs, in order, on a tiny model and a tiny corpus; every key stands in its table."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import toy_articles

pytest.importorskip("torch")
from onrecord import cli
from onrecord.data.corpus import format_marked
from onrecord.data.rows import read_rows
from onrecord.model.windows import WindowConfig
from onrecord.train import config

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "train-your-own.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """Return what stands behind the prompt in the tutorial's consoles."""
    consoles = re.findall(r"```console\n(.*?)```", TUTORIAL, re.DOTALL)
    return [line[2:] for console in consoles for line in console.splitlines() if line.startswith("$ ")]


@pytest.fixture
def newsroom(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with `docs` and `data`, where the bundled model is the tiny one and the corpus a small one."""
    lines = []
    for article in toy_articles(40):
        marked = (f"{s.label} | {format_marked(s.text, s.spans or ())}" for s in article.sentences)
        lines.append("\n".join([f"# id: {article.id}", *marked]))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "toy.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    for name in ("docs", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    (toml,) = re.findall(r"```toml\n(.*?)```", TUTORIAL, re.DOTALL)
    (tmp_path / "desk.toml").write_text(toml, encoding="utf-8")
    for module in ("train", "inputs", "data"):
        monkeypatch.setattr(f"onrecord.cli.{module}.bundled_corpus", lambda: tmp_path / "corpus")
    for module in ("onrecord.model.scorer", "onrecord.model.restore"):
        monkeypatch.setattr(f"{module}.bundled_model", lambda: tiny_model)
    monkeypatch.setattr("onrecord.train.run._has_bf16", lambda _: False)  # one precision a process
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command of the tutorial; return its exit code."""
    program, *arguments = shlex.split(command)
    if program == "python":
        *arguments, arrow, out = arguments
        assert arrow == ">"
        with Path(out).open("w", encoding="utf-8") as file:
            return subprocess.run([sys.executable, *arguments], stdout=file, check=False).returncode
    assert program == "onrecord"
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def label_all(tasks: Path, out: Path) -> None:
    """Do what a person does in Label Studio."""
    project = json.loads(tasks.read_text(encoding="utf-8"))
    for number, task in enumerate(project):
        choice = ("none", "attributed")[number % 2]
        region = {"type": "choices", "from_name": "label", "to_name": "text", "value": {"choices": [choice]}}
        task["annotations"] = [{"result": [region]}]
    out.write_text(json.dumps(project), encoding="utf-8")


def test_every_command_of_the_tutorial_runs(
    newsroom: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    todo = commands()
    assert {"train", "eval", "compare", "score", "suggest", "data"} <= {command.split()[1] for command in todo}
    for command in todo:
        if "project.json" in command:
            label_all(newsroom / "tasks.json", newsroom / "project.json")
        code = run(command, monkeypatch)
        # A tiny model forgets: 'compare' may say that it is worse.
        assert code in ((0, 4) if " compare " in command else (0,)), (command, capfd.readouterr().err)
    moved = json.loads((newsroom / "reports/desk-change/compare.json").read_text())["overall"]["accuracy"]
    assert moved["b"]["value"] > moved["a"]["value"]
    assert 1 <= len(read_rows(newsroom / "labelled.jsonl")) <= 20


def test_the_500_rows_are_all_different_and_half_show_the_new_rule(tmp_path: Path) -> None:
    script = ROOT / "docs" / "changed-guideline" / "rows.py"
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, encoding="utf-8")
    (tmp_path / "desk.csv").write_text(found.stdout, encoding="utf-8")
    rows = [row.sentences[0] for row in read_rows(tmp_path / "desk.csv")]
    test = {row.sentences[0].text for row in read_rows(script.with_name("test.csv"))}
    assert len({row.text for row in rows}) == 500
    assert not test & {row.text for row in rows}
    assert sum(row.label == "anonymous" and "spokes" in row.text for row in rows) == 250


def documented(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, default and docstring of a configuration's keys."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    defaults = kind()
    for node, following in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name = node.target.id
        assert isinstance(following, ast.Expr), f"{name} has no docstring"
        text = ast.literal_eval(following.value)
        value = getattr(defaults, name)
        if name == "data":
            yield from documented(config.DataSource, "data.")
        elif dataclasses.is_dataclass(value):
            yield from documented(WindowConfig, f"{name}.")
        else:
            yield prefix + name, json.dumps(value), text


def test_every_key_stands_in_the_tutorial_as_in_the_code() -> None:
    rows = [f"| `{name}` | `{default}` | {text} |" for name, default, text in documented(config.TrainConfig)]
    table = "\n".join(["| key | default | |", "| --- | --- | --- |", *rows])
    assert table in TUTORIAL, f"put this table under 'All keys':\n{table}"

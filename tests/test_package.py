import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from onrecord.data.corpus import bundled_corpus

ROOT = Path(__file__).parent.parent
FOLDERS = ("data", "model", "eval", "train", "cli")


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """Return the files of the five folders that git tracks: what a wheel has to hold."""
    found = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("not a git checkout: what the wheel should hold is not known")
    return {name for name in found.stdout.splitlines() if (ROOT / name).exists()}


def test_the_wheel_holds_every_file_of_the_tree_and_no_other(tracked: set[str], tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    source = tmp_path / "source"
    names = {"pyproject.toml", "README.md", "LICENSE", *tracked}
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([*pip, str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {
        name.removeprefix("onrecord/") for name in zipfile.ZipFile(wheel).namelist() if name.startswith("onrecord/")
    }
    assert held == tracked


def test_folders_import_in_one_direction_only() -> None:
    """Cli may import all, train may import eval, model and data, and so on down; nothing looks back."""
    order = {"data": 0, "model": 1, "eval": 2, "train": 3, "cli": 4}
    wrong = []
    for folder, rank in order.items():
        for path in (ROOT / folder).glob("*.py"):
            for name in re.findall(r"^\s*from \.\.(\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
                if order[name] > rank:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_the_corpus_is_fiction_and_says_so() -> None:
    for path in bundled_corpus().glob("*.txt"):
        assert path.read_text(encoding="utf-8").startswith("## Fiction"), path.name


def test_the_readmes_python_example_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True, capture_output=True, cwd=ROOT)

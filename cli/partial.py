"""Write a long run's results so that it can be resumed, and so that nothing half written bears the final name.

`FILE.partial` opens with a line that names the run by three hashes; when the run is done, what stands below that line
becomes `FILE`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..data.records import OnrecordError
from .writers import Tally

Head = Mapping[str, str | None]
"""Hashes of `model`, `options` and `input`; an input that cannot be read twice has none."""


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def hash_files(names: Iterable[str]) -> str:
    """Return one SHA-256 over the names and contents of files, in their order; of what is unreadable, over its name."""
    total = hashlib.sha256()
    for name in names:
        total.update(hash_text(name).encode())
        with suppress(OSError), Path(name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def partial_path(path: Path) -> Path:
    """Return where a file's results stand until they are whole."""
    return path.with_name(path.name + ".partial")


@contextmanager
def partial_file(path: Path, head: Head, *, resume: bool, tally: Tally) -> Iterator[BinaryIO]:
    """Open `FILE.partial` for the run's results, and rename it when the block ends without an error.

    When nothing could be scored, `FILE` stays as it was, or does not come to be.

    Args:
        path: The final file.
        head: What names the run.
        resume: Go on behind the records that are there, which are counted in `tally`.
        tally: Where they are counted.

    Raises:
        OnrecordError: The partial file belongs to another run, or nothing can be written here.
    """
    partial = partial_path(path)
    first = (json.dumps(head) + "\n").encode()
    try:
        file = partial.open("r+b" if resume and partial.exists() else "w+b")
    except OSError as error:
        raise OnrecordError(f"{partial}: {error.strerror}") from error
    with file:
        if not (resume and _take_up(file, partial, head, tally)):
            file.seek(0)
            file.truncate()
            file.write(first)
        yield file
        file.flush()
        if not tally.articles:
            partial.unlink()
            return
        finished = path.with_name(path.name + ".finished")
        file.seek(len(first))
        with finished.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    finished.replace(path)
    partial.unlink()


def _take_up(file: BinaryIO, partial: Path, head: Head, tally: Tally) -> bool:
    """Count the whole records, and cut off what follows them; False where not even the head is whole."""
    line = file.readline()
    if not line.endswith(b"\n"):
        return False
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.keys() != head.keys():
        raise OnrecordError(f"{partial}: this is no interrupted run; remove it, or leave out --resume to start afresh")
    other = [name for name in head if found[name] != head[name]]
    if other:
        raise OnrecordError(
            f"{partial}: that run differs in its {' and '.join(other)}; run it as before, or leave out --resume to "
            "start afresh"
        )
    end = file.tell()
    for line in file:
        try:
            record = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            break
        if not isinstance(record, dict) or not ("error" in record or {"language", "summary"} <= record.keys()):
            break
        tally.add(record)
        end += len(line)
    file.seek(end)
    file.truncate()
    return True

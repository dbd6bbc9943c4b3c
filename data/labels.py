"""The label set and the evidence tags: the one place where their names and order stand.

`GUIDE.md` beside this file says what each means.
"""

from __future__ import annotations

from typing import Literal

Label = Literal["attributed", "anonymous", "unverified", "none"]
Tag = Literal["source", "cue", "hedge"]
Kind = Literal["identified", "unidentified"]

LABELS: tuple[Label, ...] = ("attributed", "anonymous", "unverified", "none")
"""Ids, order in every vector of probabilities, and rows of every table."""

TAGS: tuple[Tag, ...] = ("source", "cue", "hedge")
"""What evidence is made of."""

KINDS: tuple[Kind, ...] = ("identified", "unidentified")
"""Whether the article identifies a source, so that a reader could look it up."""

BIO: tuple[str, ...] = ("O", *(f"{prefix}-{tag}" for tag in TAGS for prefix in "BI"))
"""Token tags of the evidence head (Ramshaw and Marcus, 1995)."""

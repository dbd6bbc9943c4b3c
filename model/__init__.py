"""Windows, the network, the model folder, calibration, and scoring: `from onrecord.model import load`."""

from __future__ import annotations

from .scored import Evidence, ModelId, ScoredArticle, ScoredSentence, Source
from .scorer import Model, load

__all__ = ["Evidence", "Model", "ModelId", "ScoredArticle", "ScoredSentence", "Source", "load"]

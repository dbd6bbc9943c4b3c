"""The network: a small encoder with two heads over one packed window.

`[CLS] s1 [SEP] s2 [SEP] …` → for each token an evidence tag (BIO over source, cue, hedge) and whether a source is
unidentified, and for each sentence a label, from the mean of its tokens' states and from the strongest evidence in it.
Pooling is a matrix product, so that the whole stands in one exported graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..data.labels import BIO, LABELS
from .judge import Backend, Floats, Pack, collate, in_batches


class Network(nn.Module):
    """An encoder with a label head and an evidence head."""

    def __init__(self, encoder: nn.Module, *, hidden_size: int, dropout: float = 0.1) -> None:
        super().__init__()
        parts: Any = encoder
        if getattr(parts, "pooler", None) is not None:
            parts.pooler = None  # nothing reads it, and several processes would wait for its gradient
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.evidence_head = nn.Linear(hidden_size, len(BIO) + 1)
        self.label_head = nn.Linear(hidden_size + len(BIO) + 1, len(LABELS))

    def encoder_config(self) -> dict[str, Any]:
        """Return the encoder's configuration, from which `build_network` builds it again."""
        config: Any = self.encoder.config
        settings = dict(config.to_dict())
        settings.pop("_name_or_path", None)  # a place on this machine; the configured encoder is in training.json
        return settings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        """Judge windows.

        Args:
            input_ids: `[B, T]`.
            attention_mask: `[B, T]`, 0 on padding.
            pool: `[B, S, T]`, row s holds 1/n on the n tokens of sentence s.

        Returns:
            Label logits `[B, S, len(LABELS)]` and evidence logits `[B, T, len(BIO) + 1]`, whose last column is the
            log-odds that a source is unidentified.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, T, H]
        states = self.dropout(states)
        evidence = self.evidence_head(states)  # [B, T, E]
        sentences = torch.matmul(pool, states.to(pool.dtype))  # [B, S, H]
        # The log of a mean of exponentials: a smooth maximum over the sentence's tokens. Clamped for exp's sake.
        strongest = torch.log(torch.matmul(pool, evidence.to(pool.dtype).clamp(-15, 15).exp()) + 1e-9)  # [B, S, E]
        return self.label_head(torch.cat([sentences, strongest], dim=-1)), evidence


def build_network(config: dict[str, Any]) -> Network:
    """Build a network with random weights from an encoder's `config.json`."""
    from transformers import AutoConfig, AutoModel

    settings = dict(config)
    encoder_config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    make: Any = AutoModel.from_config
    encoder = make(encoder_config, attn_implementation="eager")
    return Network(encoder, hidden_size=encoder_config.hidden_size)


def load_encoder(path: str) -> Network:
    """Build a network on a pretrained encoder, a folder or a hub id, with new heads."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    silence: Any = logging.disable_progress_bar  # of reading one file
    silence()
    config = AutoConfig.from_pretrained(path)
    encoder = AutoModel.from_pretrained(path, attn_implementation="eager", use_safetensors=True, dtype=torch.float32)
    return Network(encoder, hidden_size=config.hidden_size)


def torch_backend(network: Network, pad: int, *, batch_tokens: int = 8192) -> Backend:
    """Return a backend that runs the network in fp32 on its own device."""

    def run(packs: Sequence[Pack]) -> Iterable[tuple[Floats, Floats]]:
        device = next(network.parameters()).device
        results: dict[int, tuple[Floats, Floats]] = {}
        network.eval()
        with torch.inference_mode():
            for batch in in_batches(packs, tokens=batch_tokens):
                inputs = (torch.from_numpy(array).to(device) for array in collate([packs[i] for i in batch], pad))
                labels, evidence = network(*inputs)
                for row, index in enumerate(batch):
                    results[index] = (labels[row].float().cpu().numpy(), evidence[row].float().cpu().numpy())
        return [results[index] for index in range(len(packs))]

    return run

"""Draw a training run: the loss over the steps, the validation figures over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def plot_run(metrics: Sequence[Mapping[str, Any]], path: Path, *, best_epoch: int, title: str) -> None:
    """Write a run as SVG.

    Args:
        metrics: The lines of `metrics.jsonl`.
        path: The file to write.
        best_epoch: The epoch whose weights were kept; it is marked.
        title: What stands above.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    steps = [line for line in metrics if "macro_f1" not in line]
    epochs = [line for line in metrics if "macro_f1" in line]
    at = [line["step"] for line in epochs]
    with mpl.rc_context({"svg.hashsalt": "onrecord", "svg.fonttype": "none"}):  # the same run gives the same file
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        losses = [line["train_loss"] for line in steps]
        left.plot([line["step"] for line in steps], losses, label="training: both heads")
        left.plot(at, [line["loss"] for line in epochs], "s--", label="validation: labels")
        left.set(xlabel="step", ylabel="loss", ylim=(0, None))
        right.plot(at, [line["macro_f1"] for line in epochs], "o-", label="macro F1")
        right.plot(at, [line["accuracy"] for line in epochs], "s--", label="accuracy")
        kept = epochs[best_epoch - 1]
        ring = {"markersize": 12, "markerfacecolor": "none", "markeredgecolor": "black", "linestyle": "none"}
        right.plot(kept["step"], kept["macro_f1"], marker="o", label=f"kept: epoch {best_epoch}", **ring)
        right.set(xlabel="step", ylabel="on the validation split")
        for axes in (left, right):
            axes.grid(alpha=0.3)
            axes.legend(frameon=False)
        figure.suptitle(title)
        partial = path.with_name(path.name + ".partial")
        figure.savefig(partial, format="svg", metadata={"Date": None})
    partial.replace(path)

"""Write a model card: the `README.md` of a model folder, with the `model-index` that model hubs read.

Its figures are those of reports, each of one file; nothing is computed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.records import OnrecordError
from .predictions import replacing
from .render import render


def model_card(
    reports: Sequence[Mapping[str, Any]],
    *,
    base_model: str | None = None,
    license_id: str = "apache-2.0",
    training: Mapping[str, Any] | None = None,
    more: str = "",
) -> str:
    """Return the card's Markdown.

    Args:
        reports: Evaluation reports of one model, the most important file first.
        base_model: Hub id of the encoder that it was trained from.
        license_id: Of the weights, as hubs abbreviate it.
        training: What is on record of the training, by name.
        more: Markdown of your own for the end, such as a learning curve.

    Raises:
        OnrecordError: No report, or reports of different models.
    """
    models = {(report["model"]["name"], report["model"]["sha256"]) for report in reports}
    if len(models) != 1:
        found = ", ".join(f"{name} ({sha256[:12]})" for name, sha256 in sorted(models)) or "none"
        raise OnrecordError(f"a model card needs reports of one model, found {found}")
    # `num` and `est` look numbers up by their place, so the reports stand in one dict.
    return render(
        "card.md",
        {"reports": list(reports), "model": reports[0]["model"]},
        base_model=base_model,
        license_id=license_id,
        training=training or {},
        more=more,
    )


def write_card(folder: Path, reports: Sequence[Mapping[str, Any]], **options: Any) -> None:
    """Write `README.md` into a model folder; the options are those of `model_card`."""
    card = model_card(reports, **options)
    with replacing(folder / "README.md") as file:
        file.write(card)


def write_card_of(folder: Path, reports: Sequence[Path]) -> None:
    """Write the card of a model folder from its training record and from report folders, the most important first."""
    found = [json.loads((report / "report.json").read_text(encoding="utf-8")) for report in reports]
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    runs = record.get("averaged", [record])
    config = runs[-1]["config"]
    columns = {
        "training sentences": [run["sentences"] for run in runs],
        "epochs": [f"{run['best_epoch']} of {run['config']['epochs']}" for run in runs],
        "learning rate": [run["config"]["learning_rate"] for run in runs],
        "seed": [run["config"]["seed"] for run in runs],
        "hardware": [run["hardware"] for run in runs],
        "minutes": [round(run["seconds"] / 60, 1) for run in runs],
    }
    training = {name: ", ".join(map(str, values)) for name, values in columns.items()}
    if len(runs) > 1:
        training["weights"] = f"the mean of {len(runs)} runs"
    encoder = None if Path(config["encoder"]).exists() else config["encoder"]  # a folder's name helps nobody
    write_card(folder, found, base_model=encoder, training=training, more=_learning_curve(folder))


def _learning_curve(folder: Path) -> str:
    """Return the learning curve that `make curve` left in the folder, as Markdown."""
    path = folder / "curve.json"
    if not path.is_file():
        return ""
    curve = json.loads(path.read_text(encoding="utf-8"))
    points = sorted(curve["points"], key=lambda point: (point["share"], point["seed"]))
    names = list(points[0]["macro_f1"])
    lines = [
        "## Does more text still pay?",
        "",
        f"Macro F1 (fp32, {curve['epochs']} epochs instead of the model's) after learning from a part of the articles; "
        "files other than the corpus are development sets, optimistic and not redistributable:",
        "",
        "![learning curve](curve.svg)",
        "",
        "| part | seed | sentences | " + " | ".join(names) + " |",
        "| --- " * (3 + len(names)) + "|",
    ]
    for point in points:
        scores = " | ".join(f"{point['macro_f1'][name]:.3f}" for name in names)
        lines.append(f"| {point['share']:g} | {point['seed']} | {point['sentences']} | {scores} |")
    return "\n".join(lines)


if __name__ == "__main__":  # python -m onrecord.eval.card model/bundled report-dev report-test
    write_card_of(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])

"""Render a report's dict: a page that loads nothing, and Markdown.

Templates write a number by its place in the dict (`num("macro_f1", "value")`). On the page it carries that place in
`data-key`, a JSON pointer, by which a test finds every number of the page in `report.json` again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ..data.labels import LABELS
from . import plots
from .errors import MAX_SENTENCE, context, is_harmful, pieces
from .slices import TOO_FEW
from .verdict import MEANING

UNKNOWN = "–"


class Numbers:
    """Writes numbers of a report by their place in it."""

    def __init__(self, report: Mapping[str, Any], *, html: bool) -> None:
        self._report = report
        self._html = html

    def num(self, *keys: str | int, digits: int = 3, signed: bool = False) -> str:
        """Return the number that stands there, or a dash."""
        value: Any = self._report
        for key in keys:
            value = value[key]
        if value is None:
            return UNKNOWN
        text = str(value) if isinstance(value, int) else f"{value:{'+' if signed else ''}.{digits}f}"
        if not self._html:
            return text
        pointer = "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)
        return Markup('<span data-key="{}">{}</span>').format(pointer, text)

    def est(self, *keys: str | int, signed: bool = False) -> str:
        """Return a figure with its interval: `{"value", "ci95"}`, or a number beside its `…_ci95`."""
        value: Any = self._report
        for key in keys[:-1]:
            value = value[key]
        flat = not isinstance(value[keys[-1]], Mapping)
        place = keys if flat else (*keys, "value")
        bounds: tuple[str | int, ...] = (*keys[:-1], f"{keys[-1]}_ci95") if flat else (*keys, "ci95")
        known = value[bounds[-1]] if flat else value[keys[-1]]["ci95"]
        number = self.num(*place, signed=signed)
        if known is None:
            return number
        low, high = (self.num(*bounds, end, signed=signed) for end in (0, 1))
        if not self._html:
            return f"{number} [{low}, {high}]"
        return Markup('{} <small class="ci">{} to {}</small>').format(number, low, high)


def render(template: str, report: Mapping[str, Any], **more: Any) -> str:
    """Render a template: of a page every text is escaped, of Markdown what goes through the filter `md`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _markdown
    numbers = Numbers(report, html=template.endswith(".html"))
    environment.globals.update(
        num=numbers.num,
        est=numbers.est,
        plots=plots,
        pieces=pieces,
        context=context,
        is_harmful=is_harmful,
        LABELS=LABELS,
        MAX_SENTENCE=MAX_SENTENCE,
        MEANING=MEANING,
        TOO_FEW=TOO_FEW,
    )
    return environment.get_template(template).render(report=report, **more)


def _markdown(value: object) -> str:
    """Keep a text on its line, in its cell, and out of the markup."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]|":
        text = text.replace(mark, "\\" + mark)
    return text.replace("<", "&lt;")

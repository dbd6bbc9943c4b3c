"""The report in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from onrecord.eval.report import evaluate

from .browser import chromium
from .eval_rows import many_rows, row

NASTY = "<script>document.title = 'taken'</script><b>bold</b> 🙂 مرحبا \"quoted\""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    rows = [*many_rows(400), row("nasty", "anonymous", "attributed", text=NASTY, confidence=0.999)]
    evaluate(rows, out=out, data_sha256="cd" * 32, model={"name": "toy", "sha256": "ab" * 32})
    return out / "report.html"


@pytest.fixture(scope="module")
def desktop(page: Path) -> Iterator[Any]:
    with chromium(1200) as browser:
        browser.get(page.as_uri())
        yield browser


def choose(browser: Any, name: str, value: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    Select(browser.find_element(By.ID, name)).select_by_value(value)


def shown(browser: Any) -> list[dict[str, str]]:
    """Return what the list shows, from the top."""
    visible: list[dict[str, str]] = browser.execute_script(
        "return [...document.querySelectorAll('#sentences > .error')].filter(e => e.offsetParent !== null)"
        ".map(e => ({kind: e.dataset.kind, confidence: e.dataset.confidence, id: e.dataset.id, paper: e.className}))"
    )
    return visible


def test_the_list_can_be_sorted_by_confidence(desktop: Any) -> None:
    choose(desktop, "filter", "")
    choose(desktop, "sort", "least")
    rising = [float(one["confidence"]) for one in shown(desktop)]
    assert rising == sorted(rising)
    choose(desktop, "sort", "most")
    falling = [float(one["confidence"]) for one in shown(desktop)]
    assert falling == rising[::-1]
    assert falling[0] == 0.999


def test_the_list_can_be_filtered_by_confusion(desktop: Any) -> None:
    choose(desktop, "filter", "")
    everything = shown(desktop)
    kind = "anonymous → attributed"
    choose(desktop, "filter", kind)
    found = shown(desktop)
    assert [one["id"] for one in found] == [one["id"] for one in everything if one["kind"] == kind]
    assert 0 < len(found) < len(everything)
    status = desktop.execute_script("return document.querySelector('#count').textContent")
    assert status == f"{len(found)} of {len(everything)} shown"
    assert sum("paper" in one["paper"] for one in found) == min(25, len(found))
    choose(desktop, "filter", "")


def test_a_count_of_the_confusion_matrix_leads_to_its_sentences(desktop: Any) -> None:
    desktop.execute_script("""document.querySelector("a[data-filter='none → attributed']").click()""")
    assert {one["kind"] for one in shown(desktop)} == {"none → attributed"}
    choose(desktop, "filter", "")


def test_the_list_is_read_on_and_chosen_from_with_the_keyboard(desktop: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    focused = "return document.activeElement.dataset.id"
    choose(desktop, "filter", "")
    body, filter_ = desktop.find_element(By.TAG_NAME, "body"), desktop.find_element(By.ID, "filter")
    ids = [one["id"] for one in shown(desktop)]
    body.send_keys("j")
    assert desktop.execute_script(focused) == ids[0]
    desktop.switch_to.active_element.send_keys("jj")
    assert desktop.execute_script(focused) == ids[2]
    desktop.switch_to.active_element.send_keys("k")
    assert desktop.execute_script(focused) == ids[1]
    filter_.send_keys(Keys.ARROW_DOWN)
    assert len(shown(desktop)) < len(ids)
    choose(desktop, "filter", "")


def test_the_harmful_error_leads_to_its_sentences(desktop: Any) -> None:
    from selenium.webdriver.common.by import By

    desktop.find_element(By.LINK_TEXT, "Read them").click()
    assert {one["kind"] for one in shown(desktop)} == {"anonymous → attributed"}
    choose(desktop, "filter", "")


def test_markup_in_a_sentence_is_shown_as_text_and_does_nothing(desktop: Any) -> None:
    text = desktop.execute_script("return document.querySelector('[data-id=nasty] .sentence').textContent")
    assert text.strip() == NASTY
    assert desktop.title == "Evaluation of toy"


def test_nothing_is_loaded_and_nothing_complains(desktop: Any) -> None:
    assert desktop.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert desktop.get_log("browser") == []


@pytest.mark.parametrize("width", [360, 390, 1200])
def test_the_page_fits_its_width(page: Path, width: int) -> None:
    with chromium(width) as browser:
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_list_is_there_without_script(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count('<article class="error') == text.count('data-confidence="')
    assert "hidden" not in text[text.index('<div id="sentences">') : text.index("<script>")]

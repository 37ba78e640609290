"""The page in a real browser: headless Chromium from the system, driven by Playwright.

Skips where either is missing. Screenshots go to ``$AMB_TEST_ARTEFACTS`` where that is set.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hostile_study import HOSTILE, LABELS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, page_file):
    """Open the page; fails afterwards if it logged an error or asked the network for anything."""
    contexts, faults = [], []

    def open_page(fragment="", **options):
        context = chromium.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: said.type in ("error", "warning") and faults.append(said.text)
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        address = page_file.as_uri()
        allowed = (address, "data:")
        page.on("request", lambda r: r.url.startswith(allowed) or faults.append(r.url))
        page.goto(address + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    named = os.environ.get("AMB_TEST_ARTEFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def first_column(page, table):
    return page.locator(f"{table} tbody tr th").all_inner_texts()


def column(page, table, index):
    return page.locator(f"{table} tbody tr :nth-child({index})").all_inner_texts()


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_a_heading_sorts_best_first_then_worst_then_restores(visit):
    page = visit()
    table = "#table-comparison .table-scroll >> nth=0 >> table"
    original = first_column(page, table)
    heading = page.locator(table).locator("thead th", has_text="MAE")
    button = heading.get_by_role("button")
    button.click()
    assert heading.get_attribute("aria-sort") == "ascending"
    best_first = column(page, table, 2)
    assert best_first == sorted(best_first)
    button.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, table, 2) == best_first[::-1]
    assert "Sorted by MAE\N{NO-BREAK SPACE}↓, descending" in page.locator("#announcer").inner_text()
    button.press("Space")
    assert heading.get_attribute("aria-sort") is None
    assert first_column(page, table) == original


def test_higher_is_better_sorts_downwards_first(visit):
    page = visit()
    table = "#table-comparison .table-scroll >> nth=0 >> table"
    heading = page.locator(table).locator("thead th", has_text="Corr")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"


def test_the_switch_reorders_the_table_and_says_how_ranks_moved(visit):
    page = visit()
    ranks = [int(text) for text in column(page, "#variant-table", 2)]
    assert ranks == sorted(ranks)
    page.get_by_label("mult", exact=True).check()
    assert "as mult computes it" in page.locator("#variant-moves").inner_text()
    assert "Multimodal-Transformer" in page.locator("#variant-source").inner_text()
    page.locator("#variant-metric").select_option("corr")
    ranks = [int(text) for text in column(page, "#variant-table", 2)]
    values = [float(text) for text in column(page, "#variant-table", 4)]
    assert ranks == sorted(ranks)
    assert values == sorted(values, reverse=True)
    page.get_by_label("mult", exact=True).press("ArrowRight")
    assert "as mag computes it" in page.locator("#variant-moves").inner_text()


def test_seeds_follow_the_choice_of_methods_metric_and_split(visit):
    page = visit()
    assert page.locator("#seed-strip .dot").count() == 3 * 3 + 1
    assert page.locator("#seed-curves .curve").count() == 3 * 3 + 1
    page.locator("#seeds .chooser summary").click()
    page.get_by_role("button", name="Reference only").click()
    assert first_column(page, "#seed-table") == [LABELS["finetuned_fusion"]]
    page.get_by_label("AMB", exact=True).check()
    before = page.locator("#seed-table").inner_text()
    page.locator("#seed-split").select_option("valid")
    assert page.locator("#seed-table").inner_text() != before
    page.locator("#seed-metric").select_option("acc7")
    assert "Acc-7, %" in page.locator("#seed-caption").inner_text()
    assert page.locator("#seed-strip .dot").count() == 6


def test_hostile_texts_are_shown_and_never_run(visit):
    page = visit()
    page.locator("#utterance-sort").select_option("order")
    shown = page.locator("#utterance-list .text")
    assert shown.count() == 10
    page.locator("#utterance-search").fill("</SCRIPT><script>")
    assert shown.all_inner_texts() == [f"“{HOSTILE[1]}”"]
    page.locator("#utterance-search").fill("separator")
    assert page.evaluate("document.querySelector('.text').textContent") == f"“{HOSTILE[3]}”"
    assert page.evaluate("window.attacked") is None
    assert page.locator("main script, main img[src=x]").count() == 0


def test_utterances_are_filtered_ordered_and_turned(visit):
    page = visit()
    total = int(page.locator("#utterance-count").inner_text().split()[0])
    first = page.locator("#utterance-list .meta a").first.inner_text()
    page.get_by_role("button", name="Next").click()
    assert page.locator("#utterance-page").inner_text().startswith("Page 2 of")
    assert page.locator("#utterance-list .meta a").first.inner_text() != first
    page.locator("#utterance-sign").select_option("1")
    positive = int(page.locator("#utterance-count").inner_text().split()[0])
    assert 0 < positive < total
    assert all("label +" in text for text in page.locator(".meta").all_inner_texts())
    page.locator("#utterance-sign").select_option("")
    page.locator("#utterance-sort").select_option("error")
    page.locator("#utterance-method").select_option(label="AMB")
    page.locator("#utterance-list summary").first.click()
    table = page.locator("#utterance-list table").first
    assert table.locator("tbody tr").count() == 3
    off = abs(float(table.locator("tbody td").nth(4).inner_text().replace("−", "-")))
    page.locator("#utterance-list summary").nth(1).click()
    second = page.locator("#utterance-list table").nth(1).locator("tbody td").nth(4).inner_text()
    assert off >= abs(float(second.replace("−", "-")))


def test_links_lead_to_a_claim_a_section_and_an_utterance(visit):
    page = visit("#claim-amb-trains-fast")
    assert page.locator("details.untested").get_attribute("open") is not None
    page.evaluate("window.location.hash = '#provenance'")
    page.locator(".sections a[aria-current][href='#provenance']").wait_for()
    name = page.locator("#utterance-list .meta a").nth(2).inner_text()
    page.locator("#utterance-list .meta a").nth(2).click()
    assert page.locator("#utterance-list .meta a").all_inner_texts() == [name]
    again = visit(page.evaluate("window.location.hash"))
    assert again.locator("#utterance-list .meta a").all_inner_texts() == [name]


def test_a_figure_enlarges_and_escape_closes_it(visit):
    page = visit()
    page.locator(".zoom").first.press("Enter")
    assert page.locator("#enlarged").is_visible()
    assert page.locator("#enlarged img").evaluate("image => image.naturalWidth") > 500
    page.keyboard.press("Escape")
    assert not page.locator("#enlarged").is_visible()


def test_the_first_tab_leads_past_the_navigation(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_verdicts_and_tables_need_no_program(chromium, page_file):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".card").first.is_visible()
    assert page.locator("#table-comparison table").first.is_visible()
    assert not page.locator("#seed-explorer").is_visible()
    assert "needs JavaScript" in page.locator("#utterances").inner_text()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [{"width": 1440, "height": 1000}, PHONE], ids=["wide", "phone"]
)
def test_it_fits_every_screen_and_breaks_no_rule_of_accessibility(
    visit, artefacts, scheme, viewport
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(viewport=viewport, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(details => (details.open = true))")
    assert overflow(page) <= 0
    name = f"page-{scheme}-{viewport['width']}.png"
    page.screenshot(path=str(artefacts / name), full_page=True)
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []


def test_print_shows_every_section_opened(visit, artefacts):
    page = visit(viewport={"width": 800, "height": 1000})
    page.emulate_media(media="print")
    for section in (
        "verdicts",
        "tables",
        "definitions",
        "figures",
        "seeds",
        "utterances",
        "provenance",
    ):
        assert page.locator(f"#{section}").is_visible(), section
    assert not page.locator(".sections").is_visible()
    assert page.locator("details.untested li").first.evaluate("item => item.checkVisibility()")
    page.pdf(path=str(artefacts / "page.pdf"), format="A4")
    assert (artefacts / "page.pdf").stat().st_size > 20_000

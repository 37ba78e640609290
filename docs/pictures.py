"""Make the pictures of README and docs anew from the committed predictions of the demo.

    make pictures

Nothing is trained: tables and figures are made from ``results/reference/demo`` as ``amb verify``
makes them, the page from these, and Chromium photographs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "results" / "reference" / "demo"
IMAGES = ROOT / "docs" / "images"
FIGURES = ("comparison",)
WIDE = {"width": 1180, "height": 860}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Draw, photograph, and say what was written."""
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch) / "demo"
        _amb("verify", str(REFERENCE), "--keep", str(results))
        shutil.copytree(REFERENCE, results, dirs_exist_ok=True)
        page = results / "index.html"
        _amb("page", "--results", str(results), "--out", str(page))
        for name in FIGURES:
            shutil.copy(results / "figures" / f"{name}.png", IMAGES / f"demo_{name}.png")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
            pictures = list(_photographs(browser, page))
            browser.close()
    for picture in [*(IMAGES / f"demo_{name}.png" for name in FIGURES), *pictures]:
        print(picture.relative_to(ROOT))


def _photographs(browser: Browser, page: Path) -> Iterator[Path]:
    for name, size, scheme, scale in (
        ("page", WIDE, "light", 1.0),
        ("page_dark", WIDE, "dark", 1.0),
        ("page_phone", PHONE, "light", 1.5),
    ):
        context = browser.new_context(
            viewport=size, color_scheme=scheme, device_scale_factor=scale, reduced_motion="reduce"
        )
        view = context.new_page()
        view.goto(page.as_uri())
        picture = IMAGES / f"demo_{name}.png"
        view.screenshot(path=picture)
        context.close()
        yield picture


def _amb(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "amb", *arguments], check=True, stdout=subprocess.DEVNULL)


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("no chromium on this machine (Debian: chromium)")


if __name__ == "__main__":
    main()

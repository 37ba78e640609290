"""What the site has beyond docs/: pages that live elsewhere, and links where a page is named."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent
ELSEWHERE = (
    "benchmarks/README.md",
    "benchmarks/leakage_calibration.md",
    "config/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
)
MENTION = re.compile(r"(?<!\[)`((?:[\w-]+/)*[\w-]+\.md)`(?!\])")
CODE = re.compile(r"(^```[^`]*?^```$|^(?: {4}[^\n]*\n)+)", re.MULTILINE)
# What a browser would fetch by itself from elsewhere; links that a reader clicks are no such thing.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?https?:"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload|icon))[^>]*\bhref=[\"']?https?:"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/, under their own paths."""
    for path in ELSEWHERE:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn every page that is named in code quotes, such as `docs/data.md`, into a link to it."""
    here = posixpath.dirname(page.file.src_uri)

    def linked(match: re.Match[str]) -> str:
        target = match[1].removeprefix("docs/")
        if files.get_file_from_path(target) is None or target == page.file.src_uri:
            return match[0]
        return f"[`{match[1]}`]({posixpath.relpath(target, here or '.')})"

    parts = CODE.split(markdown)
    return "".join(part if CODE.fullmatch(part) else MENTION.sub(linked, part) for part in parts)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would fetch something from the network when it is read."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri}: {found[0]} is fetched when the page is read")
    return output

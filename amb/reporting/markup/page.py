"""Markdown as a self-contained HTML page: what Snakemake's report shows in its frame."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem; }
table { border-collapse: collapse; display: block; margin: 1rem 0; overflow-x: auto; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .7rem; white-space: nowrap; }
thead th { border-bottom-width: 2px; }
td { font-variant-numeric: tabular-nums; }
td:first-child { min-width: 9rem; white-space: normal; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
code { overflow-wrap: anywhere; }
"""


def html_page(title: str, markdown: str) -> str:
    """Render Markdown as one HTML document without any other file.

    Args:
        title: The document's title, plain text.
        markdown: CommonMark with tables; HTML in it is shown as text.

    Returns:
        The document.
    """
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}</body></html>\n'

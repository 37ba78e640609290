"""Markdown as a part of a page: headings moved down, tables that scroll, sort and read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from amb.reporting.study_page.unbroken import unbroken

_REPEATED = '<span class="visually-hidden">{}</span>'


@dataclass(frozen=True)
class Part:
    """A heading and what follows it up to the next.

    Attributes:
        title: The heading, plain text.
        level: Its level in the source; 1 for the page's own title.
        html: What follows, as HTML.
    """

    title: str
    level: int
    html: Markup


@dataclass
class _Table:
    """What is known of the table that is being written, and how many there were."""

    count: int = 0
    group: str = ""
    column: int = 0
    in_body: bool = False


def parts_of(markdown: str, name: str) -> list[Part]:
    """Cut a Markdown page at its headings and render each part.

    Args:
        markdown: CommonMark with tables; HTML in it is shown as text.
        name: What the page's tables are called when read aloud, each with its heading.

    Returns:
        The parts; what stands before the first heading has level 0 and no title.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    starts = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
    edges = [*starts, len(tokens)]
    parts = [Part("", 0, _render(parser, tokens[: edges[0]], name))]
    for start, end in zip(starts, edges[1:], strict=True):
        title = _plain(tokens[start + 1])
        body = _render(parser, tokens[start + 3 : end], f"{name}: {title}")
        parts.append(Part(title, int(tokens[start].tag[1]), body))
    return [part for part in parts if part.title or part.html]


def _render(parser: MarkdownIt, tokens: Sequence[Token], name: str) -> Markup:
    """Render tokens; tables become regions that scroll by keyboard, their rows have headings."""
    state = _Table()
    pieces: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "inline":
            continue
        opened = [later for later in tokens[place + 1 : place + 2] if later.type == "inline"]
        inner = str(parser.renderer.render(opened, parser.options, {}))
        pieces.append(_piece(parser, token, inner, state, name))
    return Markup("".join(pieces))


def _piece(parser: MarkdownIt, token: Token, inner: str, state: _Table, name: str) -> str:
    """Return the HTML of one token and of the text that it opens."""
    if token.type == "table_open":
        state.in_body, state.count = False, state.count + 1
        label = escape(name if state.count == 1 else f"{name} ({state.count})")
        region = f'<div class="table-scroll" tabindex="0" role="region" aria-label="{label}">'
        return f'{region}<table class="sortable">'
    if token.type == "table_close":
        return "</table></div>\n"
    if token.type == "tbody_open":
        state.in_body, state.group = True, ""
    if token.type == "tr_open":
        state.column = 0
    if token.type in ("th_open", "td_open"):
        return _cell(token, inner, state)
    if token.type in ("th_close", "td_close"):
        state.column += 1
        return "</th>" if not state.in_body or state.column == 1 else "</td>"
    return str(parser.renderer.render([token], parser.options, {})) + inner


def _cell(token: Token, inner: str, state: _Table) -> str:
    """Return the start of a cell: a column's heading, a row's heading, or a value.

    A blank row heading stands for the one above; it is written out for whoever hears it, and for
    a reader who sorts the rows.
    """
    right = "right" in str(token.attrGet("style") or "")
    kind = ' class="num"' if right else ""
    if not state.in_body:
        return f'<th scope="col"{kind}>{unbroken(inner)}'
    if state.column:
        return f"<td{kind}>{inner}"
    state.group = inner or state.group
    return f'<th scope="row">{inner or _REPEATED.format(state.group)}'


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.content)

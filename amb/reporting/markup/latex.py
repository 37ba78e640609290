r"""LaTeX: escaping, and tables in booktabs style that compile inside the plain article class.

The files need ``\usepackage{booktabs}`` in the document's preamble and nothing else.
"""

from __future__ import annotations

import unicodedata

from amb.printable import REPLACEMENT, printable
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.markup.latex_pages import column_lines, parts

# \raggedright redefines \\ where the last column wraps; this always ends a row.
END_OF_ROW = r" \tabularnewline"
HEADER = "% Generated. The document needs \\usepackage{booktabs}.\n"

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': "''",  # \textquotedbl does not exist in the default font encoding
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "′": r"$'$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "†": r"$\dagger$",
    "—": "---",
    "–": "--",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "…": r"\ldots{}",
    "\u00a0": "~",
    "\u202f": r"\,",
    REPLACEMENT: "?",
}


def escape(text: str) -> str:
    """Return ``text`` on one line such that LaTeX prints it as it stands.

    Greek letters become mathematics; other letters beyond ASCII stay, as UTF-8.
    """
    one_line = " ".join(printable(text).replace("\u00a0", "\0").replace("\u202f", "\1").split())
    restored = one_line.replace("\0", "\u00a0").replace("\1", "\u202f")
    return "".join(_SPECIAL.get(character) or _greek(character) for character in restored)


def render_tables(grid: Grid, caption: str, label: str, note: str = "") -> str:
    r"""Return ``grid`` as one floating table, or as several where one would not fit a page.

    Args:
        grid: The table, plain text.
        caption: The caption above each, plain text; several are numbered.
        label: What ``\ref`` calls the first; that of the second ends in ``-2``.
        note: Text below the last, plain text.

    Returns:
        LaTeX source that ends in a newline.
    """
    pages = parts(grid)
    tables = []
    for place, page in enumerate(pages, start=1):
        number = f" ({place} of {len(pages)})" if len(pages) > 1 else ""
        suffix = f"-{place}" if place > 1 else ""
        below = note if place == len(pages) else ""
        tables.append(render_table(page, caption + number, label + suffix, below))
    return "\n".join(tables)


def render_table(grid: Grid, caption: str, label: str, note: str = "") -> str:
    r"""Return ``grid`` as a floating table with booktabs rules.

    It is centred on the text block and may be wider than it. ``table*`` spans both columns of a
    two-column paper and is an ordinary table elsewhere.

    Args:
        grid: The table, plain text.
        caption: The caption above it, plain text.
        label: What ``\ref`` calls it.
        note: Text below it, plain text, set smaller; the long part of what a caption says.

    Returns:
        LaTeX source that ends in a newline.
    """
    lines = [
        r"\begin{table*}[tp]",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{{label}}}",
        r"\footnotesize",
        r"\setlength{\tabcolsep}{4pt}",
        r"\makebox[\textwidth][c]{%",
        rf"\begin{{tabular}}{{@{{}}{''.join(_specification(c) for c in grid.columns)}@{{}}}}",
        r"\toprule",
        _heading(grid),
        r"\midrule",
        *_body(grid),
        r"\bottomrule",
        r"\end{tabular}}",
        *_note(note),
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _note(note: str) -> list[str]:
    if not note:
        return []
    return [
        r"\par\smallskip",
        rf"\begin{{minipage}}{{\textwidth}}\scriptsize\raggedright {escape(note)}\end{{minipage}}",
    ]


def _body(grid: Grid) -> list[str]:
    lines = []
    for index, row in enumerate(grid.rows):
        if index in grid.block_starts:
            lines.append(r"\addlinespace")
        lines.append(_row(grid, index, row))
    return lines


def _heading(grid: Grid) -> str:
    """Return the row of headings, long ones on two lines."""
    cells = []
    for column in grid.columns:
        lines = [escape(line) for line in column_lines(column.header)]
        text = r"\\".join(lines)
        align = column.align[0]
        cells.append(
            rf"\begin{{tabular}}[b]{{@{{}}{align}@{{}}}}{text}\end{{tabular}}"
            if len(lines) > 1
            else text
        )
    return " & ".join(cells) + END_OF_ROW


def _row(grid: Grid, index: int, cells: tuple[str, ...]) -> str:
    texts = [
        _cell(column, cell, (index, place) in grid.bold)
        for place, (column, cell) in enumerate(zip(grid.columns, cells, strict=True))
    ]
    return " & ".join(texts) + END_OF_ROW


def _cell(column: Column, text: str, bold: bool) -> str:
    # A row's first [ or * would be read as an argument of the command before it.
    escaped = ("{}" if text[:1] in ("[", "*") and text else "") + escape(text)
    if bold and text:
        escaped = rf"\textbf{{{escaped}}}"
    if not column.width_cm:
        return escaped
    # Names of rows and folders are one long word; they may break where a reader would break them.
    for mark in (r"\_", "/"):
        escaped = escaped.replace(mark, mark + r"\allowbreak{}")
    return rf"\raggedright {escaped}"


def _specification(column: Column) -> str:
    return f"p{{{column.width_cm:g}cm}}" if column.width_cm else column.align[0]


def _greek(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("GREEK SMALL LETTER ") and name.count(" ") == 3 and character != "ο":
        return {"LAMDA": r"$\lambda$"}.get(name.split()[-1], rf"$\{name.split()[-1].lower()}$")
    return character

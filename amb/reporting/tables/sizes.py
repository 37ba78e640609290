"""How large every row is, as people read it: ``docs/parameters.md``."""

from __future__ import annotations

from collections.abc import Sequence

from amb.reporting.markup import markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import MISSING
from amb.sizes.counts import RowSize, Size, SizeTable
from amb.sizes.settings import FRAME_DIMENSIONS, TOKEN_STATES

AMB, COUNTERPART = "amb", "finetuned_fusion"
MARK = "†"
COLUMNS = (
    Column("Preset"),
    Column("Row"),
    Column("Total", "right"),
    Column("Trainable", "right"),
    Column("Share, %", "right"),
    Column("Of counterpart", "right"),
    Column("Checkpoint, bytes", "right"),
)
_DATA = ", ".join(
    [*(f"{m} {features}" for m, features in FRAME_DIMENSIONS.items()), f"and GloVe {TOKEN_STATES}"]
)
_COUNTED = f"""\
# Parameters

Made by `amb parameters --out docs/parameters.md` from config alone: no weights are read and nothing
is trained. Edit a preset or the source, not this page; a test compares the two.

- **Total** counts every parameter, those of a frozen BERT too. BERT is without its pooler. A row
  that reads no words has no BERT.
- **Trainable** counts what training changes; a frozen BERT is not in it. Both are what `run.json`
  records.
- **Share** is trainable in total. **Of counterpart** is trainable in proportion to
  `{COUNTERPART}`, AMB's fine-tuned counterpart, at the same D.
- **Checkpoint** is the file of one run of the row in a study called `mosei`, its header included.
  The header, a multiple of 8 bytes, holds both names and grows with them.

Data have the shape of CMU-MOSEI's, word-aligned: {_DATA}
for the rows that read it in place of words. Where data are not word-aligned, layer-wise fusion
attends to frames and has the maps that set `amb_attention` apart here. Rows of the field stand once
each, as `_mosei`: with the hyper-parameters that MMSA publishes for CMU-MOSEI. Controls in closed
form are left out.

The sizes of BERT are exact. All the rest is a reconstruction: the abstract of AMB gives no size of
adapter, fusion layer or encoder.
"""
_FOOTNOTE = """\
{mark} BERT's word embedding trains and is counted in full: {whole} bytes of the file. A real
checkpoint holds fewer rows of it, those of the word-pieces that occur in the training texts: {row}
bytes each, the id included.
"""


def markdown_sizes(tables: Sequence[SizeTable]) -> str:
    """Return the page of all tables.

    Args:
        tables: One a size of BERT; printed by D, ascending.

    Returns:
        Markdown.
    """
    ordered = sorted(tables, key=lambda table: table.backbone.hidden_size)
    return "\n".join([_COUNTED, _shares(ordered), *(_section(table) for table in ordered)])


def sizes_grid(table: SizeTable) -> Grid:
    """Return every row with its counts, its shares and the bytes of its checkpoint."""
    counterpart = table.size_of(COUNTERPART)
    return Grid(COLUMNS, tuple(_cells(row, counterpart) for row in table.rows))


def _cells(row: RowSize, counterpart: Size | None) -> tuple[str, ...]:
    if row.size is None:
        return (row.preset, f"{row.label}: does not fit, {row.misfit}", *[MISSING] * 5)
    size = row.size
    return (
        row.preset,
        row.label,
        f"{size.total:,}",
        f"{size.trainable:,}",
        _percent(size.trainable, size.total, 3),
        MISSING if counterpart is None else f"{size.trainable / counterpart.trainable:.5f}",
        f"{size.checkpoint_bytes:,}" + (f" {MARK}" if size.trains_word_embedding else ""),
    )


def _section(table: SizeTable) -> str:
    """Return one size of BERT: a heading, what the BERT is, the table and its footnote."""
    bert = table.backbone
    text = [
        f"## D = {bert.hidden_size}: {bert.name}\n",
        f"{bert.layers} layers, {bert.heads} heads, intermediate size {bert.intermediate_size}, "
        f"{bert.vocabulary:,} word-pieces, {bert.positions} positions: {table.backbone_total:,} "
        "parameters.\n",
        markdown.render_table(sizes_grid(table)),
    ]
    if any(row.size and row.size.trains_word_embedding for row in table.rows):
        whole, row_bytes = f"{4 * bert.word_embeddings:,}", f"{4 * bert.hidden_size + 8:,}"
        text.append(_FOOTNOTE.format(mark=MARK, whole=whole, row=row_bytes))
    return "\n".join(text)


def _shares(tables: Sequence[SizeTable]) -> str:
    """Explain shares at different D: the word embedding weighs on the total of a small BERT."""
    lines = [
        "Compare shares at one D only. The word embedding is in every total, a frozen row does\n"
        "not train it, and the smaller BERT is, the more of it is word embedding:\n"
    ]
    for table in tables:
        size, bert = table.size_of(AMB), table.backbone
        if size is None:
            continue
        words = bert.word_embeddings
        lines.append(
            f"- D = {bert.hidden_size}: {_percent(words, table.backbone_total)} % of {bert.name}. "
            f"AMB trains {_percent(size.trainable, size.total)} % of its total,\n  and "
            f"{_percent(size.trainable, size.total - words)} % of what is not word embedding."
        )
    return "\n".join(lines) + "\n"


def _percent(part: int, whole: int, decimals: int = 1) -> str:
    return f"{100 * part / whole:.{decimals}f}"

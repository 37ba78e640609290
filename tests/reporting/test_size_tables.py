"""The page of sizes: what stands in a row, and in which order."""

from __future__ import annotations

from pathlib import Path

from amb.cli import main
from amb.reporting.tables.sizes import markdown_sizes, sizes_grid
from amb.sizes.counts import RowSize, Size, SizeTable
from amb.sizes.settings import BERT_BASE, MINILM

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parameters.md"
TUNED = Size(2_000_000, 2_000_000, 8_000_100, True)
ROWS = (
    RowSize("amb", "AMB", Size(1_500_000, 50_000, 200_100, False)),
    RowSize("finetuned_fusion", "Fine-tuned", TUNED),
    RowSize("amb_last6", "Last 6", None, "options.fusion_layers: found 6"),
)


def test_a_row_has_counts_shares_and_bytes():
    grid = sizes_grid(SizeTable(MINILM, 1_400_000, ROWS))
    assert grid.rows[0] == ("amb", "AMB", "1,500,000", "50,000", "3.333", "0.02500", "200,100")
    assert grid.rows[1][4:] == ("100.000", "1.00000", "8,000,100 †")


def test_a_row_that_does_not_fit_says_why_and_has_dashes():
    cells = sizes_grid(SizeTable(MINILM, 1_400_000, ROWS)).rows[2]
    assert cells[1] == "Last 6: does not fit, options.fusion_layers: found 6"
    assert set(cells[2:]) == {"—"}


def test_without_the_counterpart_there_is_no_ratio_and_without_its_mark_no_footnote():
    table = SizeTable(MINILM, 1_400_000, ROWS[:1])
    assert sizes_grid(table).rows[0][5] == "—"
    assert "†" not in markdown_sizes([table])


def test_the_page_goes_by_d_and_states_the_size_of_an_embedding_row():
    tables = [SizeTable(BERT_BASE, 108_891_648, ROWS), SizeTable(MINILM, 22_565_376, ROWS)]
    page = markdown_sizes(tables)
    assert page.index("## D = 384: MiniLM") < page.index("## D = 768: bert-base-uncased")
    assert "46,881,792 bytes" in page  # 30,522 rows of 384 float32
    assert "1,544\nbytes each" in page  # 384 float32 and an int64
    assert "D = 384: 51.9 % of MiniLM" in page


def test_the_page_is_what_the_command_prints_now(capsys, tmp_path):
    file = tmp_path / "parameters.md"
    assert main(["parameters", "--out", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == capsys.readouterr().out
    remedy = "docs/parameters.md is out of date: amb parameters --out docs/parameters.md"
    assert PAGE.read_text(encoding="utf-8") == file.read_text(encoding="utf-8"), remedy

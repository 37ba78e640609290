"""The table of published numbers: what ships loads, and a fault is named with file, row, value."""

from pathlib import Path

import pytest

from amb.errors import InputError
from amb.statistics.published import COLUMNS, read_published

SHIPPED = Path(__file__).parents[2] / "config" / "published.csv"
HEADER = ",".join(COLUMNS)
GOOD = "mosei,MMIM (paper),mae,0.526,a source,"


def test_the_shipped_numbers_load_with_their_sources():
    table = read_published(SHIPPED)
    assert len(table.numbers) == 431
    number = table.find("mosei", "MMIM (paper)", "mae")
    assert number.value == 0.526
    assert "Semi-IIN" in number.source
    assert table.find("mosei", "Nobody", "mae") is None
    papers = [m for m in table.models("mosei", "mae") if m.endswith("(paper)")]
    best = min(papers, key=lambda m: table.find("mosei", m, "mae").value)
    assert best == "MMIM (paper)"  # as config/claims.yaml says
    ours = ("TFN (BERT text)", "LMF (BERT text)", "MulT (paper)", "MISA (paper)")
    ours += ("MAG-BERT (paper)", "Self-MM (paper)")
    assert min(ours, key=lambda m: table.find("mosei", m, "mae").value) == "Self-MM (paper)"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["dataset,model", GOOD], "row 1: found 'dataset,model', expected dataset,model,metric"),
        ([HEADER, GOOD.replace("mosei", "mosey")], "row 2, dataset: found 'mosey', .*one of mosi"),
        ([HEADER, GOOD.replace("mae", "rmse")], "row 2, metric: found 'rmse'"),
        (
            [HEADER, GOOD, GOOD.replace("MMIM", "X").replace("0.526", "52.6")],
            "row 3, value: .*52.6",
        ),
        ([HEADER, GOOD.replace("0.526", "nan")], "row 2, value: found 'nan'"),
        ([HEADER, GOOD.replace("0.526", "n/a")], "row 2, value: found 'n/a'.* from 0 to 6"),
        ([HEADER, GOOD.replace("a source", " ")], "row 2, source: found ' '"),
        ([HEADER, GOOD, GOOD], "row 3: found 'mosei MMIM .paper. mae', expected one row"),
        ([HEADER, GOOD + ",more"], "row 2: found '7 cells'"),
        ([HEADER, GOOD, ""], "row 3: found '0 cells'"),
    ],
)
def test_a_fault_is_named_with_file_row_and_value(tmp_path, lines, message):
    file = tmp_path / "published.csv"
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=f"published.csv: {message}"):
        read_published(file)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'dataset,"a\n', b""])
def test_what_is_no_table_is_an_input_error(tmp_path, content):
    file = tmp_path / "published.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"published.csv"):
        read_published(file)
    with pytest.raises(InputError, match="no such file"):
        read_published(tmp_path / "absent.csv")


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    file = tmp_path / "published.csv"
    file.write_bytes(("\ufeff" + f"{HEADER}\r\n{GOOD}\r\n").encode())
    assert read_published(file).find("mosei", "MMIM (paper)", "mae").value == 0.526

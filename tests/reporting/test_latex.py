import re

import pytest

from amb.reporting.claims import latex_claims
from amb.reporting.markup import latex
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.markup.latex_pages import parts
from amb.reporting.tables.comparison import latex_comparison


def test_every_special_character_is_escaped():
    assert latex.escape(r"a\b{c}$&%#_^~") == (
        r"a\textbackslash{}b\{c\}\$\&\%\#\_\textasciicircum{}\textasciitilde{}"
    )
    assert latex.escape('"α ± −1" † <é>') == r"''$\alpha$ $\pm$ $-$1'' $\dagger$ $<$é$>$"


def test_line_breaks_in_a_label_do_not_end_the_row():
    assert latex.escape("late\n\nfusion") == "late fusion"


def test_first_bracket_of_a_row_is_not_an_argument():
    grid = Grid((Column("A"), Column("B")), (("[x]", "*"), ("*y", "[z]")))
    source = latex.render_table(grid, "Caption", "tab:x")
    assert "{}[x] & {}*" in source
    assert "\n{}*y & " in source


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Grid((Column("A"), Column("B")), (("only one",),))


def test_tables_are_balanced_and_have_as_many_cells_as_columns(results):
    for source in (latex_comparison(results.table()), latex_claims(results.claims())):
        assert _depths_are_balanced(source)
        assert source.count(r"\begin{") == source.count(r"\end{")
        for width, body in _tabulars(source):
            rows = re.findall(r"^(.*) \\tabularnewline$", body, flags=re.MULTILINE)
            assert rows
            assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {width}


def test_what_does_not_fit_a_page_is_cut_into_several_floats(many_results):
    source = latex_comparison(many_results.table())
    assert r"\caption{Differences to the reference, at both scopes. (1 of 3)}" in source
    assert r"\caption{Comparison of all methods on the test split. (2 of 2)}" in source
    labels = re.findall(r"\\label\{(.*?)\}", source)
    assert len(labels) == len(set(labels)) == 5


def test_a_wide_table_is_cut_between_columns_and_names_its_rows_in_every_part():
    names = Column("Method", width_cm=3.4)
    columns = (names, *(Column(f"Metric {i}, %", "right") for i in range(9)))
    rows = tuple((f"m{r}", *(f"{r}.{i} ± 0.123 *" for i in range(9))) for r in range(3))
    cut = parts(Grid(columns, rows))
    assert len(cut) == 2
    assert all(part.columns[0] is names for part in cut)
    assert all([row[0] for row in part.rows] == ["m0", "m1", "m2"] for part in cut)
    assert tuple(c for part in cut for c in part.columns[1:]) == columns[1:]
    assert all(len(part.rows[0]) == len(part.columns) for part in cut)


def test_a_long_table_is_cut_between_blocks_and_repeats_the_group_that_goes_on():
    columns = (Column("Metric"), Column("Method", width_cm=3.4), Column("Gain", "right"))
    rows = tuple(
        ("MAE" if r == 0 else "", f"m{r // 2}" if r % 2 == 0 else "", f"{r}") for r in range(60)
    )
    cut = parts(Grid(columns, rows, frozenset(range(2, 60, 2))))
    assert len(cut) == 2
    assert [part.rows[0][0] for part in cut] == ["MAE", "MAE"]
    assert all(part.rows[0][1] for part in cut)
    assert [row[2] for part in cut for row in part.rows] == [f"{r}" for r in range(60)]
    assert [sorted(part.block_starts) for part in cut] == [
        list(range(2, len(part.rows), 2)) for part in cut
    ]


def test_wrapped_rows_count_by_their_lines_and_a_small_table_stays_whole():
    columns = (Column("Claim", width_cm=3.0), Column("Verdict"))
    short, long = (tuple((text, "x") for _ in range(20)) for text in ("word", "word " * 40))
    assert len(parts(Grid(columns, short))) == 1
    assert len(parts(Grid(columns, long))) > 4
    assert parts(Grid(columns, ())) == [Grid(columns, ())]


def test_long_headings_stand_on_two_lines_and_long_names_may_break():
    grid = Grid((Column("Row", width_cm=3.4), Column("Acc-7, % ↑", "right")), (("a_b/c", "1"),))
    source = latex.render_table(grid, "Caption", "tab:x")
    assert r"\begin{tabular}[b]{@{}r@{}}Acc-7,\\\% $\uparrow$\end{tabular}" in source
    assert r"a\_\allowbreak{}b/\allowbreak{}c & 1" in source


def _depths_are_balanced(source: str) -> bool:
    plain = re.sub(r"%.*", "", re.sub(r"\\.", "", source))
    depth = 0
    for character in plain:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and plain.count("$") % 2 == 0


def _tabulars(source: str) -> list[tuple[int, str]]:
    found = re.findall(
        r"\\begin\{tabular\}\{@\{\}(.*?)@\{\}\}\n(.*?)\\end\{tabular\}\}\n", source, re.DOTALL
    )
    return [(len(re.sub(r"p\{.*?\}", "p", columns)), body) for columns, body in found]

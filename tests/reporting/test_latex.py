import re
import shutil
import subprocess

import pytest

from amb.reporting import latex
from amb.reporting.claims import latex_claims
from amb.reporting.grid import Column, Grid
from amb.reporting.tables import latex_comparison

ENGINE = shutil.which("pdflatex") or shutil.which("tectonic")


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


def test_many_differences_are_cut_into_several_floats(many_results):
    source = latex_comparison(many_results.table())
    assert r"\caption{Differences to the reference, at both scopes. (1 of 3)}" in source
    labels = re.findall(r"\\label\{(.*?)\}", source)
    assert len(labels) == len(set(labels)) == 4


@pytest.mark.skipif(ENGINE is None, reason="neither pdflatex nor tectonic is installed")
def test_tables_compile_in_the_article_class(results, tmp_path):
    body = latex_comparison(results.table()) + latex_claims(results.claims())
    document = "\n".join(
        [r"\documentclass{article}", r"\usepackage{booktabs}", r"\begin{document}", body]
    )
    (tmp_path / "t.tex").write_text(document + r"\end{document}", encoding="utf-8")
    options = ["-halt-on-error", "-interaction=nonstopmode"] if "pdflatex" in ENGINE else []
    done = subprocess.run(
        [ENGINE, *options, "t.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "t.pdf").stat().st_size > 1000


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
        r"\\begin\{tabular\}\{@\{\}(.*?)@\{\}\}\n(.*?)\\end\{tabular\}", source, re.DOTALL
    )
    return [(len(re.sub(r"p\{.*?\}", "p", columns)), body) for columns, body in found]

"""Every figure against its committed picture, and what all figures have to keep."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise

import matplotlib.colors
import pytest
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.testing.compare import compare_images

from amb.reporting.figures.draw import DRAW
from amb.reporting.figures.figure_list import FIGURES
from amb.reporting.figures.style import SERIES, house_style, luminance, save_figure, series

from pictures import BASELINES, DPI, PICTURES  # isort: skip

TOLERANCE = 1.5  # root mean square of the difference, of 255; a lost line is more
OKABE_ITO = {
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
}  # fmt: skip


@cache
def drawn(name: str) -> Figure:
    return PICTURES[name]()


def test_every_figure_has_a_picture_and_a_function():
    names = {figure.name for figure in FIGURES}
    assert names == set(PICTURES) == set(DRAW)
    assert {file.stem for file in BASELINES.glob("*.png")} == names


@pytest.mark.parametrize("name", PICTURES)
def test_figure_looks_as_committed(name, tmp_path):
    actual = tmp_path / f"{name}.png"
    save_figure(drawn(name), actual, dpi=DPI)
    found = compare_images(str(BASELINES / f"{name}.png"), str(actual), TOLERANCE)
    assert found is None, f"{found}\nrenew with: python tests/reporting/pictures.py {name}"


def test_a_picture_that_differs_is_noticed(tmp_path):
    figure = PICTURES["ablation"]()
    next(line for line in figure.axes[0].lines if line.get_gid() == "finetuned").remove()
    save_figure(figure, tmp_path / "ablation.png", dpi=DPI)
    found = compare_images(
        str(BASELINES / "ablation.png"), str(tmp_path / "ablation.png"), TOLERANCE
    )
    assert found is not None
    assert "RMS Value" in found


@pytest.mark.parametrize("name", PICTURES)
def test_two_renders_are_the_same_bytes_and_the_pdf_has_its_fonts(name, tmp_path):
    for order in ("first", "second"):
        figure = PICTURES[name]()
        for suffix in (".png", ".pdf"):
            save_figure(figure, tmp_path / f"{order}{suffix}", dpi=DPI)
    for suffix in (".png", ".pdf"):
        first, second = ((tmp_path / f"{o}{suffix}").read_bytes() for o in ("first", "second"))
        assert first == second
    pdf = (tmp_path / "first.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


def test_series_are_told_apart_without_colour():
    marks = [series(index)[1:] for index in range(48)]
    assert len(set(marks)) == 48
    assert len({marker for _, marker, _ in SERIES}) == len(SERIES)


@pytest.mark.parametrize("name", ["ablation", "fusion_norms", "robustness", "effects", "claims"])
def test_no_two_series_of_a_panel_share_marker_and_line(name):
    for axes in drawn(name).axes:
        marks = {
            line.get_gid(): (line.get_marker(), str(line.get_linestyle()), line._dash_pattern)
            for line in axes.lines
            if line.get_gid() and not line.get_gid().startswith("_")
        }
        for (one, mark), (other, own) in combinations(marks.items(), 2):
            assert mark != own, f"{one} and {other}"


@pytest.mark.parametrize("name", PICTURES)
def test_colours_are_okabe_and_itos_or_grey(name):
    for figure_color in colours(drawn(name)):
        red, green, blue = (round(255 * value) for value in figure_color[:3])
        grey = max(red, green, blue) - min(red, green, blue) <= 2
        assert grey or f"#{red:02X}{green:02X}{blue:02X}" in OKABE_ITO


def colours(figure: Figure):
    """The colours of everything that is drawn, but the shades of a matrix."""
    for artist in figure.findobj(lambda artist: isinstance(artist, Line2D | Collection)):
        if isinstance(artist, Line2D):
            lined = artist.get_linestyle() != "None"
            yield matplotlib.colors.to_rgba(
                artist.get_color() if lined else artist.get_markeredgecolor()
            )
        elif artist.get_array() is None:
            yield from artist.get_edgecolor()
            yield from artist.get_facecolor()


def test_shades_of_the_matrix_darken_with_the_probability():
    from amb.reporting.figures.superiority import SHADES

    steps = [luminance(matplotlib.colors.to_hex(SHADES(value / 20))) for value in range(21)]
    assert all(light > dark for light, dark in pairwise(steps))
    assert steps[0] == pytest.approx(1)


def test_text_is_large_enough_to_be_printed():
    for name in PICTURES:
        for text in drawn(name).findobj(lambda artist: hasattr(artist, "get_fontsize")):
            if text.get_text().strip():
                assert text.get_fontsize() >= 5.5, f"{name}: {text.get_text()}"


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_cut_off_at_the_edges(name):
    figure = drawn(name)
    with house_style():
        figure.draw_without_rendering()  # lays out; the box is that of what was laid out
    width, height = figure.get_size_inches()
    drawn_box = figure.get_tightbbox()
    assert drawn_box.x0 >= -0.01
    assert drawn_box.y0 >= -0.01
    assert drawn_box.x1 <= width + 0.01
    assert drawn_box.y1 <= height + 0.01

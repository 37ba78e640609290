"""The calibration as page and figure: what a reader must find, and what must not mislead."""

import numpy as np
import pandas as pd
import pytest

from amb.reporting.calibration import (
    faults,
    markdown_calibration,
    write_calibration,
    write_calibration_page,
)
from amb.reporting.calibration_figure import calibration_figure
from amb.statistics.calibration.cells import FORMS, METRICS
from amb.statistics.calibration.summary import COLUMNS, calibration_table


@pytest.fixture
def table():
    """Two test sets, two sets of components, every test and null; population rates around .05."""
    rng = np.random.default_rng(0)
    rates = {
        ("population", "population"): (45, 55),
        ("population", "fixed_set"): (0, 3),
        ("fixed_set", "fixed_set"): (40, 52),
        ("fixed_set", "population"): (200, 800),
    }
    rows = [
        {
            "items": items,
            "videos": items // 10,
            "components": components,
            "null": null,
            "metric": metric,
            "seeds": seeds,
            "form": form,
            "test": test,
            "replicates": 1000,
            "undefined": 0,
            "rejected": (rejected := int(rng.integers(*rates[test, null]))),
            "intervals": 1000,
            "covered": 1000 - rejected,
            "v_seed": 2.0,
            "v_video": 3.0,
            "v_cell": 1.0,
        }
        for items in (100, 300)
        for components in ("balanced", "seeds dominate")
        for test, null in rates
        for metric in METRICS
        for seeds in (3, 5)
        for form in FORMS
    ]
    return calibration_table(rows)


def break_a_promise(table):
    place = table.query("test == 'population' and null == 'population' and seeds == 5").index[0]
    table.loc[place, ["rejection_rate", "verdict"]] = [0.12, "above"]
    return table


def test_the_page_tells_what_was_run_and_judges_tests_at_their_own_scope_alone(table):
    page = markdown_calibration(table, 7, "calibration.png")
    assert "`amb calibrate --replicates 1000 --seed 7`: 256 rates" in page
    rows = [line for line in page.splitlines() if "not its question" in line]
    assert len(rows) == 2
    assert all(row.endswith("| — | — | — |") for row in rows)
    own = next(line for line in page.splitlines() if line.startswith("| two-way jackknife t | pop"))
    assert own.endswith("| 64 | 64 | 0 | 0 |")
    assert "## Faults" not in page
    assert "![Rejection rate of every cell, with the band](calibration.png)" in page


def test_a_broken_promise_is_named_with_its_cell(table):
    found = faults(break_a_promise(table))
    assert len(found) == 1
    cell, rate, expected = found[0]
    assert cell.startswith("two-way jackknife t, 100 utterances, 5 seeds, balanced, MAE")
    assert rate.startswith("0.1200 ± ")
    assert expected == "0.035 to 0.065"
    assert f"| {cell} |" in markdown_calibration(table, 0, "x.png").replace("\\", "")


def test_the_figure_has_a_row_a_test_and_null_and_a_column_a_set_of_components(table):
    figure = calibration_figure(table)
    assert len(figure.axes) == 4 * 2
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["Balanced", "Seeds dominate"]
    ylabels = [axes.get_ylabel() for axes in figure.axes[::2]]
    assert sum("not its question" in label for label in ylabels) == 2
    assert "population null" in ylabels[0]
    marks = [len(axes.containers) for axes in figure.axes]
    assert marks == [len(METRICS) * len(FORMS)] * 8
    low, high = figure.axes[0].get_ylim()
    assert low < 0
    assert high >= table["rejection_rate"][table["null"] == "population"].min()


def test_all_files_are_written_and_a_rerun_gives_the_same_bytes(table, tmp_path):
    write_calibration(tmp_path / "one", table, 0)
    write_calibration(tmp_path / "two", table, 0)
    names = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert names == [f"calibration.{kind}" for kind in ("csv", "html", "md", "pdf", "png")]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    read = pd.read_csv(tmp_path / "one" / "calibration.csv")
    assert read.columns.tolist() == COLUMNS
    assert len(read) == len(table)


def test_the_page_of_the_repository_finds_its_figure(table, tmp_path):
    write_calibration_page(tmp_path / "docs" / "calibration.md", table, 0)
    assert (tmp_path / "docs" / "images" / "calibration.png").exists()
    assert "](images/calibration.png)" in (tmp_path / "docs" / "calibration.md").read_text()

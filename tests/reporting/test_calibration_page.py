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
from amb.reporting.figures.calibration import calibration_figure
from amb.statistics.calibration.cells import FORMS, METRICS
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.summary import COLUMNS, calibration_table

RATES = {
    ("population", "population"): (45, 55),
    ("population", "fixed_set"): (0, 3),
    ("fixed_set", "fixed_set"): (40, 52),
    ("fixed_set", "population"): (200, 800),
    ("label_permutation", "fixed_set"): (40, 50),
    ("label_permutation", "population"): (200, 800),
    ("bootstrap_percentile", "population"): (5, 190),
    ("bootstrap_percentile", "fixed_set"): (0, 3),
    ("bootstrap_basic", "population"): (5, 190),
    ("bootstrap_basic", "fixed_set"): (0, 3),
}
FORMS_OF = {procedure.name: procedure.forms for procedure in PROCEDURES}


@pytest.fixture
def table():
    """Every test at both nulls, on two test sets under two sets of components."""
    rng = np.random.default_rng(0)
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
            "replicates": (replicates := 300 if "bootstrap" in test else 1000),
            "undefined": 0,
            "rejected": (rejected := int(rng.integers(*RATES[test, null])) * replicates // 1000),
            "intervals": (intervals := 0 if test == "label_permutation" else replicates),
            "covered": max(0, intervals - rejected),
            "v_seed": 2.0,
            "v_video": 3.0,
            "v_cell": 1.0,
        }
        for items in (100, 300)
        for components in ("balanced", "seeds dominate")
        for test, null in RATES
        for metric in METRICS
        for seeds in (3, 5)
        for form in FORMS_OF[test]
    ]
    return calibration_table(rows)


def break_a_promise(table):
    place = table.query("test == 'population' and null == 'population' and seeds == 5").index[0]
    table.loc[place, ["rejection_rate", "verdict"]] = [0.12, "above"]
    return table


def overview(page):
    """Return the cells of every row of the first table, by test and null."""
    lines = page.split("## By size and seeds")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {(row[0], row[1]): dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


def test_the_page_tells_what_was_run_and_judges_tests_at_their_own_scope_alone(table):
    page = markdown_calibration(table, 7, "calibration.png")
    assert "`amb calibrate --replicates 1000 --seed 7`: 576 rates" in page
    rows = overview(page)
    judged = ("In band or within error", "Conservative", "Faults")
    others = [row for (_, null), row in rows.items() if "not its question" in null]
    assert len(others) == 5
    assert all(row[column] == "—" for row in others for column in judged)
    own = rows["two-way jackknife t", "population"]
    assert [own[column] for column in judged] == ["64", "0", "0"]
    assert "## Faults" not in page
    assert "![Rejection rate of every cell, with the band](calibration.png)" in page


def test_what_is_not_defined_or_not_promised_is_a_dash(table):
    """A permutation has no coverage, a bootstrap no promise; both ran on what the table says."""
    page = markdown_calibration(table, 0, "x.png")
    rows = overview(page)
    permutation = rows["label permutation", "fixed set"]
    assert permutation["Coverage"] == "—"
    assert permutation["Rate"] != "—"
    assert (permutation["Cells"], permutation["Faults"]) == ("32", "0")
    for kind in ("percentile", "basic"):
        bootstrap = rows[f"crossed bootstrap, {kind}", "population"]
        assert bootstrap["Replicates"] == "300"
        assert bootstrap["Coverage"] != "—"
        assert bootstrap["Faults"] == "—"
    assert "Label permutation: 999 namings are drawn where there are too many" in page
    assert page.count("500 resamples, not 10,000") == 1


def test_a_broken_promise_is_named_with_its_cell(table):
    found = faults(break_a_promise(table))
    assert len(found) == 1
    cell, rate, expected = found[0]
    assert cell.startswith("two-way jackknife t, 100 utterances, 5 seeds, balanced, MAE")
    assert rate.startswith("0.1200 ± ")
    assert expected == "0.035 to 0.065"
    assert f"| {cell} |" in markdown_calibration(table, 0, "x.png").replace("\\", "")


def test_the_figure_has_a_row_a_test_and_null_and_a_column_a_set_of_components(table):
    """Five tests at their own null; three, of which something is promised, at the other too."""
    figure = calibration_figure(table)
    assert len(figure.axes) == 8 * 2
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["Balanced", "Seeds dominate"]
    ylabels = [axes.get_ylabel() for axes in figure.axes[::2]]
    others = [label for label in ylabels if "not its question" in label]
    assert len(others) == 3
    assert not any("bootstrap" in label for label in others)
    assert "population null" in ylabels[0]
    for label, axes in zip(ylabels, figure.axes[::2], strict=True):
        points = sum(len(container[0].get_xdata()) for container in axes.containers)
        forms = 1 if "permutation" in label else len(FORMS)
        assert points == 2 * 2 * len(METRICS) * forms, label
    low, high = figure.axes[0].get_ylim()
    assert low < 0
    assert high >= table["rejection_rate"][table["test"] == "population"].max()


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

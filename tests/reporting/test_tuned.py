"""What a tuned study shows: the budget in the table, and the expected best of n trials."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import yaml

from amb.cli import main
from amb.errors import InputError
from amb.reporting.figures.expected_maximum import expected_maximum_figure
from amb.reporting.tables.captions import means_caption
from amb.reporting.tables.comparison import read_comparison, tidy_comparison, write_comparison
from amb.reporting.tables.comparison_grids import means_grid
from amb.reporting.tables.tuned import read_searches
from amb.statistics.expected_maximum import expected_best

SEARCHES = {"amb": [0.9, 0.7, 0.8], "finetuned_fusion": [1.0, None, 0.75]}


@pytest.fixture
def tuned(tmp_path):
    folder = tmp_path / "tuned"
    folder.mkdir()
    for method, values in SEARCHES.items():
        trials = [{"valid_mae": value} for value in values]
        (folder / f"{method}.json").write_text(json.dumps({"trials": trials}), encoding="utf-8")
    return folder


def test_searches_are_read_with_their_diverged_trials(tuned):
    found = read_searches(tuned, list(SEARCHES))
    assert found == {"amb": [0.9, 0.7, 0.8], "finetuned_fusion": [1.0, math.inf, 0.75]}
    with pytest.raises(InputError, match=r"late_fusion.json: file: found 'no such file'"):
        read_searches(tuned, ["late_fusion"])
    (tuned / "amb.json").write_text('{"trials": []}')
    with pytest.raises(InputError, match=r"trials: found 'no trial'"):
        read_searches(tuned, ["amb"])


def test_the_budget_is_a_column_where_rows_were_tuned_and_only_there(results, tmp_path):
    trials = dict.fromkeys(results.labels, 20)
    parts = [results.read(name) for name in ("summary", "comparison", "pairs")]
    parts.append(results.parameters())
    statistics = results.study.statistics
    table = tidy_comparison(*parts, results.labels, statistics, trials)
    write_comparison(tmp_path / "tables", table)
    read = read_comparison(tmp_path / "tables" / "comparison.csv")
    assert (read["trials"] == 20).all()
    grid = means_grid(read)
    place = [column.header for column in grid.columns].index("Trials")
    assert {row[place] for row in grid.rows} == {"20"}
    assert "Trials: recipes that were tried" in means_caption(read)

    plain = tidy_comparison(*parts, results.labels, statistics)
    assert "trials" not in plain.columns
    assert "Trials" not in [column.header for column in means_grid(plain).columns]
    assert "Trials" not in means_caption(plain)


def test_the_expected_best_falls_to_the_best_trial():
    np.testing.assert_allclose(
        expected_best(SEARCHES["amb"], higher_is_better=False), [0.8, (0.7 + 0.7 + 0.8) / 3, 0.7]
    )
    assert np.isposinf(expected_best([math.inf, 0.7], higher_is_better=False)[0])


def test_every_method_has_a_panel_with_its_curve_in_front():
    labels = {"amb": "AMB", "finetuned_fusion": "Fine-tuned BERT + layer-wise fusion"}
    searches = {"amb": [0.9, 0.7, 0.8], "finetuned_fusion": [1.0, math.inf, 0.75]}
    figure = expected_maximum_figure(searches, labels)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2
    for axes, method in zip(panels, labels, strict=True):
        curve = axes.lines[-1].get_ydata()
        expected = expected_best(searches[method], higher_is_better=False)
        np.testing.assert_allclose(curve, np.where(np.isfinite(expected), expected, np.nan))
    assert panels[1].texts[0].get_text() == "best 0.750"


def study_file(tmp_path, results, **changes):
    content = yaml.safe_load((results.folder / "study.yaml").read_text(encoding="utf-8"))
    names = ("amb", "finetuned_fusion")
    content["methods"] = {name: content["methods"][name] for name in names}
    space = {"learning_rate": {"low": 0.0001, "high": 0.01}}
    content["tuning"] = {"trials": 3, "seed": 7, "space": space, **changes}
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def test_the_command_draws_the_figure(results, tuned, tmp_path):
    file = study_file(tmp_path, results)
    arguments = ["--study", str(file), "--tuned", str(tuned), "--out-dir", str(tmp_path / "f")]
    assert main(["expected-maximum", *arguments]) == 0
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == [
        "expected_maximum.pdf",
        "expected_maximum.png",
    ]


def test_trials_that_depend_on_each_other_have_no_such_figure(results, tuned, tmp_path, capsys):
    file = study_file(tmp_path, results, sampler="tpe")
    arguments = ["--study", str(file), "--tuned", str(tuned), "--out-dir", str(tmp_path / "f")]
    assert main(["expected-maximum", *arguments]) == 2
    assert "found 'tpe', expected random" in capsys.readouterr().err


def test_the_table_command_takes_the_searches(results, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    for method in results.labels:
        trials = {"trials": [{"valid_mae": 1.0}] * 4}
        (folder / f"{method}.json").write_text(json.dumps(trials), encoding="utf-8")
    arguments = ["--study", "study.yaml", "--summary", "summary.csv"]
    arguments += ["--comparison", "comparison.csv", "--pairs", "pairs.csv", "--runs", "runs"]
    paths = [a if a.startswith("--") else str(results.folder / a) for a in arguments]
    out = tmp_path / "tables"
    assert main(["tables", *paths, "--out-dir", str(out), "--tuned", str(folder)]) == 0
    assert "| Trials |" in (out / "comparison.md").read_text(encoding="utf-8")

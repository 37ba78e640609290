"""The robustness table and figure show what robustness.csv holds, in the study's order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from amb.cli import main
from amb.errors import InputError
from amb.evaluation.predictions import PREDICTION_COLUMNS, run_folder, write_predictions
from amb.reporting.corruption_names import KINDS, LEVELS
from amb.reporting.figures.robustness import robustness_figure
from amb.reporting.figures.style import SERIES
from amb.reporting.inputs import read_table
from amb.reporting.tables.robustness import ROBUSTNESS, curve_grid, in_order, markdown_robustness
from amb.study import CORRUPTION_TARGETS, load_study

GRID = {
    "draws": 2,
    "grid": [
        {"kind": "token_mask", "targets": ["text"], "levels": [0.5]},
        {"kind": "gaussian", "targets": ["visual", "audio"], "levels": [0, 0.5, 2]},
    ],
}
POINTS = {
    "gaussian:audio:0:0": 0.0, "gaussian:audio:0.5:0": 0.2, "gaussian:audio:0.5:1": 0.3,
    "gaussian:audio:2:0": 0.8, "gaussian:audio:2:1": 0.9, "gaussian:visual:0:0": 0.0,
    "gaussian:visual:0.5:0": 0.1, "gaussian:visual:0.5:1": 0.1, "gaussian:visual:2:0": 0.4,
    "gaussian:visual:2:1": 0.5, "token_mask:text:0.5:0": 1.0, "token_mask:text:0.5:1": 1.1,
}  # fmt: skip
FRAGILITY = {"finetuned_fusion": 2.0, "amb": 1.0, "finetuned_text": 1.5}


def predictions(method, seed, splits, points):
    """Return predictions that the points push off the labels, a fragile method further."""
    frames = []
    for split in splits:
        video = np.repeat([f"{split}{v}" for v in range(6)], 4)
        label = np.random.default_rng(len(split)).normal(0, 1.2, video.size)
        own = np.random.default_rng(seed).normal(0, 0.4, video.size)
        for name, level in points.items():
            push = np.random.default_rng(len(name)).normal(0, 1, video.size)
            frame = {
                "method": method, "seed": seed, "split": split, "corruption": name,
                "utterance": [f"{v}_{i}" for i, v in enumerate(video)], "video": video,
                "label": label, "prediction": label + own + FRAGILITY[method] * level * push,
            }  # fmt: skip
            frames.append(pd.DataFrame(frame)[list(PREDICTION_COLUMNS)])
    return pd.concat(frames)


@pytest.fixture
def folder(tmp_path, results):
    """A study with a grid, its runs, and robustness.csv made from them."""
    content = yaml.safe_load((results.folder / "study.yaml").read_text())
    content["methods"] = {m: {"builder": "amb", "seeds": 3, "label": f"Row {m}"} for m in FRAGILITY}
    content["corruption"] = GRID
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for method in FRAGILITY:
        for seed in (1111, 1112, 1113):
            run = run_folder(tmp_path / "runs", method, seed)
            clean = predictions(method, seed, ("valid", "test"), {"none": 0.0})
            write_predictions(run / "predictions.parquet", clean, {})
            noisy = predictions(method, seed, ("test",), POINTS)
            if method == "finetuned_text":  # words are masked for the others only
                noisy = noisy[~noisy["corruption"].str.startswith("token_mask")]
            write_predictions(run / "corrupted.parquet", noisy, {})
    command = ["robustness", "--study", str(tmp_path / "study.yaml")]
    command += ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "robustness.csv")]
    assert main(command) == 0
    return tmp_path


@pytest.fixture
def study(folder):
    return load_study(folder / "study.yaml")


@pytest.fixture
def table(folder, study):
    return in_order(read_table(folder / "robustness.csv", ROBUSTNESS), study, folder)


def test_rows_come_in_the_study_s_order_with_labels(table):
    mae = table[table["metric"] == "mae"]
    curves = list(dict.fromkeys(zip(mae["kind"], mae["target"], strict=True)))
    assert curves == [("token_mask", "text"), ("gaussian", "visual"), ("gaussian", "audio")]
    audio = mae[(mae["target"] == "audio") & (mae["method"] == "amb")]
    assert audio["level"].fillna(-1).tolist() == [0, 0.5, 2, -1]
    assert audio["quantity"].tolist()[-1] == "area"
    assert set(audio["label"]) == {"Row amb"}


def test_a_table_of_another_study_is_refused(folder, study, table):
    for column, value in (("method", "other"), ("metric", "corr2"), ("kind", "missing")):
        wrong = table.drop(columns="label").assign(**{column: value})
        with pytest.raises(InputError, match=value):
            in_order(wrong, study, folder / "robustness.csv")


def test_the_grid_shows_values_losses_and_contrasts(table):
    rows = table[(table["metric"] == "mae") & (table["target"] == "audio")]
    grid = curve_grid(rows, 0.05)
    assert len(grid.rows) == 3 * 4
    assert sorted(grid.block_starts) == [4, 8]
    clean, noisy, _, area = (dict(zip(range(11), row, strict=True)) for row in grid.rows[4:8])
    assert (clean[0], clean[1], clean[3], clean[4]) == ("Row amb", "0", "—", "—")
    assert noisy[0] == ""
    assert noisy[3][0].isdigit()  # the error grows
    assert noisy[5].startswith("+")  # loses less than the reference
    assert area[1] == "area"
    assert area[2] == "—"
    assert all(cell == "—" for cell in grid.rows[1][5:])  # the reference beside itself


def test_the_page_says_what_is_ours_and_what_is_exploratory(table, study):
    text = markdown_robustness(table, study)
    assert "the noise protocol is not stated in the paper's abstract" in text
    assert "Exploratory" in text
    assert "Benjamini-Hochberg, " in text
    assert "## Gaussian noise, audio" in text
    masked = text.split("## Masked word-pieces")[1].split("## ")[0]
    assert "Row amb" in masked
    assert "text\\_" not in masked  # not applicable to that row


def test_the_figure_has_a_panel_a_corruption_and_a_line_a_row(table):
    figure = robustness_figure(table)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == [
        *("Masked word-pieces", "Gaussian noise, visual", "Gaussian noise, audio"),
    ]
    assert [len(axes.lines) for axes in panels] == [2, 3, 3]
    mae = table[(table["metric"] == "mae") & (table["quantity"] == "condition")]
    own = mae[(mae["target"] == "audio") & (mae["method"] == "amb")]
    (line,) = [line for line in panels[2].lines if line.get_gid() == "amb"]
    np.testing.assert_allclose(line.get_ydata(), own["noisy"])
    np.testing.assert_allclose(line.get_xdata(), np.sqrt(own["level"]), atol=0.04)
    styles = {(line.get_marker(), line.get_linestyle()) for line in panels[2].lines}
    assert len(styles) == 3


def test_series_differ_without_colour():
    assert len({marker for _, marker, _ in SERIES}) == len(SERIES)


def test_every_kind_has_words():
    assert set(KINDS) == set(LEVELS) == set(CORRUPTION_TARGETS)


def test_the_command_writes_tables_and_figures_alike_every_time(folder):
    command = ["robustness-report", "--study", str(folder / "study.yaml")]
    command += ["--robustness", str(folder / "robustness.csv")]
    command += ["--tables", str(folder / "tables"), "--figures", str(folder / "figures")]
    names = [f"tables/robustness.{kind}" for kind in ("csv", "md", "html")]
    names += ["figures/robustness.png", "figures/robustness.pdf"]
    written = []
    for _ in range(2):
        assert main(command) == 0
        written.append([(folder / name).read_bytes() for name in names])
    assert written[0] == written[1]


def test_a_run_without_its_corrupted_predictions_is_named(folder, capsys):
    (folder / "runs/amb/seed1112/corrupted.parquet").unlink()
    command = ["robustness", "--study", str(folder / "study.yaml")]
    command += ["--runs", str(folder / "runs"), "--out", str(folder / "robustness.csv")]
    assert main(command) == 2
    assert "runs/amb/seed1112/corrupted.parquet: file: found 'no such" in capsys.readouterr().err

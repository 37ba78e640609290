"""What single figures show: effects, claims, matrix, parameters, predictions, where fusion acts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from amb.cli import main
from amb.reporting.figures.claims import claims_figure
from amb.reporting.figures.effects import effects_figure, registered_effects
from amb.reporting.figures.far_rows import visible_span
from amb.reporting.figures.fusion_norms import fusion_norms_figure
from amb.reporting.figures.parameters import parameters_figure, parameters_table, pareto_front
from amb.reporting.figures.predictions import best_constant, predictions_figure
from amb.reporting.figures.superiority import superiority_figure, superiority_table

import pictures as p  # isort: skip


def texts(figure: Figure, gid: str) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_gid() == gid]


def test_relative_sesoi_becomes_a_band_of_the_references_mean_and_the_verdict_its_sign():
    claims = [
        p.claim("ordering", "not reproduced", (0.0, 0.1), sesoi=0.01, metric="mae"),
        p.claim("ordering", "reproduced", (0.0, 0.1), sesoi=0.02, metric="acc7",
                contrast={"a": "amb", "b": p.REFERENCE, "form": "difference"}),
        p.claim("ordering", "reproduced", (0.0, 0.1), sesoi=0.01,
                contrast={"a": "amb", "b": "mult", "form": "relative"}),
    ]  # fmt: skip
    found = registered_effects(claims, p.summary(), p.REFERENCE)
    mean = p.summary().set_index(["method", "metric"]).loc[(p.REFERENCE, "mae"), "mean"]
    assert [effect.sesoi for effect in found] == pytest.approx([0.01 * mean, 0.02])
    figure = effects_figure(p.comparison(), found, p.LABELS, list(p.METRICS), p.REFERENCE)
    assert texts(figure, "verdict") == ["✗", "✓"]
    band = next(patch for patch in figure.axes[1].patches if patch.get_gid() == "SESOI")
    assert band.get_x() == pytest.approx(-2)
    assert band.get_width() == pytest.approx(4)


def test_effects_stand_at_their_value_in_both_scopes_and_are_filled_where_found():
    figure = p.effects()
    frame = p.comparison().query("metric == 'acc7' and scope == 'population'")
    points = [line for line in figure.axes[1].lines if line.get_gid() == "population"]
    drawn = {round(float(line.get_ydata()[0])): line for line in points}
    own = frame.set_index("method").loc[[m for m in p.LABELS if m != p.REFERENCE]]
    for place, (_, row) in enumerate(own.iterrows()):
        assert drawn[place].get_xdata()[0] == pytest.approx(100 * row["estimate"])
        assert (drawn[place].get_markerfacecolor() != "white") == bool(row["significant"])


def test_a_row_far_from_many_others_is_left_at_the_edge_with_its_number():
    labels = {f"m{index}": f"Method {index}" for index in range(8)} | {"ref": "Reference"}
    rows = [("mae", name, scope, gain, gain - 0.02, gain + 0.02, False)
            for index, name in enumerate(labels) if name != "ref"
            for gain in [-1.5 if index == 3 else 0.01 * index]
            for scope in ("fixed_set", "population")]  # fmt: skip
    columns = ["metric", "method", "scope", "estimate", "ci_low", "ci_high", "significant"]
    figure = effects_figure(pd.DataFrame(rows, columns=columns), [], labels, ["mae"], "ref")
    assert texts(figure, "beyond") == ["◀ −1.500"]
    assert figure.axes[0].get_xlim()[0] > -0.2


def test_few_rows_are_all_shown_and_an_undefined_one_takes_no_room():
    bounds = np.array([[-1.5, -1.6, -1.4], [0.01, 0.0, 0.02], [np.nan] * 3])
    low, high = visible_span(bounds, 0.0)
    assert low < -1.6
    assert high > 0.02
    assert visible_span(np.full((2, 3), np.nan), 0.5, right=3.0) == (-0.5, 3.5)


def test_claims_of_one_unit_share_a_panel_and_counts_have_none():
    figure = claims_figure(p.claims())
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "relative gain, % →",
        "less lost to corruption, in MAE →",
        "log ratio of times (positive: faster) →",
    ]
    assert texts(figure, "verdict") == [
        "✓ reproduced", "? inconclusive", "✗ not reproduced", "~ real but smaller than claimed",
    ]  # fmt: skip
    bands = [patch for patch in figure.axes[0].patches if patch.get_gid() == "band"]
    ends = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in bands]
    np.testing.assert_allclose(ends, [(0, 1), (1.7, 5.1)])
    speed = figure.axes[2].patches[0]
    assert speed.get_width() == pytest.approx(-np.log(0.95))


def test_claims_without_any_effect_say_so():
    figure = claims_figure([{"kind": "count", "scopes": {}, "verdict": "reproduced"}])
    assert "No registered claim has an effect" in figure.texts[0].get_text()


def test_matrix_counts_pairs_of_runs_and_both_halves_add_up():
    values = {"a": [1.0, 2.0, 4.0], "b": [3.0, 2.0, 5.0]}
    rows = [(method, seed, "test", "mae", value)
            for method, own in values.items() for seed, value in enumerate(own)]  # fmt: skip
    scores = pd.DataFrame(rows, columns=["method", "seed", "split", "metric", "value"])
    table = superiority_table(scores, ["b", "a"], "mae").set_index(["method_a", "method_b"])
    # Lower is better. 1 beats all three, 2 beats 3 and 5 and ties with 2, 4 beats 5 alone.
    assert table.loc[("a", "b"), "probability"] == pytest.approx(6.5 / 9)
    assert table["probability"].sum() == pytest.approx(1)
    figure = superiority_figure(table.reset_index(), {"b": "B", "a": "A"}, "mae")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["A  1", "B  2"]
    cells = {text.get_position(): text.get_text().split("\n")[0] for text in figure.axes[0].texts}
    assert cells == {(1, 0): ".72", (0, 1): ".28"}


def test_pareto_front_in_any_order_keeps_ties():
    cost, gain = [4, 1, 3, 2, 3], [9, 1, 5, 5, 7]
    assert pareto_front(cost, gain) == [True, True, False, True, True]
    assert pareto_front([1, 1], [2, 2]) == [True, True]


def test_parameters_front_is_of_low_errors_and_high_accuracies():
    for metric, on_front in (("mae", True), ("acc7", True)):
        table = parameters_table(p.summary(), p.TRAINABLE, p.LABELS, metric).set_index("method")
        assert bool(table.loc["frozen_late", "front"]) is on_front  # the fewest parameters
        assert not table.loc["finetuned_late", "front"]


def crowd():
    """16 rows with long names, whose points nearly coincide."""
    rng = np.random.default_rng(3)
    mean, half = rng.normal(0.8, 0.02, 16), rng.uniform(0.005, 0.02, 16)
    table = pd.DataFrame({
        "method": [f"m{i}" for i in range(16)],
        "label": [f"Method with a long name {i}" for i in range(16)],
        "trainable": np.exp(rng.normal(13, 1, 16)).astype(int), "mean": mean,
        "ci_low": mean - half, "ci_high": mean + half,
    })  # fmt: skip
    return table.assign(front=pareto_front(table["trainable"], -table["mean"]))


def test_names_of_a_crowd_cover_neither_each_other_nor_a_point():
    table = crowd()
    figure = parameters_figure(table, "mae", "m3")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(table)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = axes.transData.transform(table[["trainable", "mean"]].to_numpy())
    assert not any(box.contains(*point) for box in boxes for point in points)
    assert all(axes.bbox.containsx(x) for box in boxes for x in (box.x0, box.x1))
    assert [t.get_text() for t in axes.texts if t.get_fontweight() == "bold"] == [
        "Method with a long name 3"
    ]


def test_a_row_far_from_a_crowd_stands_at_the_edge_with_its_number():
    table = crowd()
    table.loc[3, ["mean", "ci_low", "ci_high"]] = [1.6, 1.58, 1.62]
    figure = parameters_figure(table, "mae", "m5")
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert low > 0.6
    assert high < 1.2
    edge = [line for line in axes.lines if line.get_gid() == "beyond" and len(line.get_xdata())]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in edge] == [
        (table["trainable"][3], high)
    ]
    assert "Method with a long name 3, 1.600" in [text.get_text() for text in axes.texts]


def test_every_row_is_named_near_its_point():
    table = parameters_table(p.summary(), p.TRAINABLE, p.LABELS, "mae")
    figure = parameters_figure(table, "mae", p.REFERENCE)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(boxes) == set(p.LABELS.values())
    places = axes.transData.transform(table[["trainable", "mean"]].to_numpy())
    for label, (x, y) in zip(table["label"], places, strict=True):
        box = boxes[label]
        away = max(box.x0 - x, x - box.x1, 0), max(box.y0 - y, y - box.y1, 0)
        assert np.hypot(*away) < 20 * figure.dpi / 72, label  # points of the page


def test_predictions_are_means_over_seeds_and_scores_means_of_the_seeds_own():
    frame = p.predictions()
    figure = predictions_figure(frame, p.LABELS)
    own = frame.query("method == 'amb' and split == 'test'")
    cloud = next(c for c in figure.axes[0].collections if c.get_gid() == "utterances")
    mean = own.groupby("utterance")["prediction"].mean()
    assert len(cloud.get_offsets()) == own["utterance"].nunique()
    np.testing.assert_allclose(np.sort(cloud.get_offsets()[:, 1]), np.sort(mean.to_numpy()))
    mae = own.assign(e=(own["prediction"] - own["label"]).abs()).groupby("seed")["e"].mean().mean()
    assert figure.axes[0].texts[0].get_text().startswith(f"MAE {mae:.3f}\nr 0.")


def test_the_constant_is_the_median_of_the_training_labels():
    frame = pd.DataFrame({
        "split": ["train"] * 4 + ["test"], "utterance": ["a", "b", "c", "a", "d"],
        "label": [1.0, 2.0, -3.0, 1.0, 9.0],
    })  # fmt: skip
    assert best_constant(frame) == 1.0
    assert best_constant(frame[frame["split"] == "test"]) == 9.0


def test_fusion_norms_are_drawn_by_layer_in_percent():
    norms = p.norms()
    figure = fusion_norms_figure(norms, {"amb": "AMB", "finetuned_fusion": "Fine-tuned"})
    line = next(line for line in figure.axes[0].lines if line.get_gid() == "audio")
    means = norms.query("method == 'amb' and part == 'audio'").groupby("layer")["ratio"].mean()
    np.testing.assert_allclose(line.get_ydata(), 100 * means.to_numpy())
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list("123456")


def test_a_figure_that_the_study_does_not_have_is_named(results, capsys):
    folder = results.folder
    command = ["figures", "--study", str(folder / "study.yaml"), "--results", str(folder)]
    assert main([*command, "--out-dir", str(folder / "f"), "--only", "robustness"]) == 2
    error = capsys.readouterr().err
    assert "found 'robustness', expected one of comparison, claims, effects" in error

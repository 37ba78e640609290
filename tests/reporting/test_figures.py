from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from amb.reporting.figures.comparison import comparison_figure
from amb.reporting.figures.style import save_figure, wrapped
from amb.reporting.figures.training_curves import median_curve, training_curves_figure


def draw_comparison(results, scores=None) -> Figure:
    chosen = results.study.statistics
    return comparison_figure(
        results.read("scores") if scores is None else scores,
        results.read("summary"),
        results.labels,
        chosen.metrics,
        chosen.reference,
    )


def seed_points(axes) -> np.ndarray:
    dots = [c.get_offsets().filled(np.nan) for c in axes.collections if c.get_gid() == "seeds"]
    return np.concatenate(dots)


def test_every_seed_is_a_point_at_its_value(results):
    figure = draw_comparison(results)
    scores = results.read("scores").query("split == 'test'")
    panels = [axes for axes in figure.axes if axes.get_visible()]
    for axes, metric in zip(panels, results.study.statistics.metrics, strict=True):
        points = seed_points(axes)
        assert len(points) == 33
        scale = 1 if metric in ("mae", "corr") else 100
        values = scores[scores["metric"] == metric]["value"].to_numpy() * scale
        np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(values))
        assert len(np.unique(points[:, 1])) == len(points), "jitter keeps all heights apart"


def test_undefined_seed_is_named_and_not_drawn(results):
    scores = results.read("scores")
    lost = (scores["method"] == "amb") & (scores["metric"] == "corr") & (scores["seed"] < 1113)
    figure = draw_comparison(results, scores.assign(value=scores["value"].mask(lost)))
    assert len(seed_points(figure.axes[1])) == 31
    assert "undefined for 2 of 10 seeds" in [text.get_text() for text in figure.axes[1].texts]


def test_a_method_far_from_many_others_is_left_at_the_edge_with_its_mean(make_results):
    labels = {"amb": "AMB", "finetuned_fusion": "Reference"} | {f"m{n}": f"M{n}" for n in range(10)}
    results = make_results(labels=labels)
    scores, summary = results.read("scores"), results.read("summary")
    far = (summary["method"] == "m3") & (summary["metric"] == "mae")
    summary.loc[far, ["mean", "ci_low", "ci_high"]] = [9.0, 8.9, 9.1]
    figure = comparison_figure(scores, summary, labels, ["mae", "corr"], "finetuned_fusion")
    texts = [[t.get_text() for t in axes.texts if t.get_gid() == "beyond"] for axes in figure.axes]
    assert texts == [["9.00 ▶"], []]
    assert figure.axes[0].get_xlim()[1] < 5
    assert len(seed_points(figure.axes[0])) == len(seed_points(figure.axes[1])) - 10


def test_panels_say_their_seeds_where_they_differ():
    curves = pd.DataFrame(
        {"method": ["a", "a", "b"], "seed": [1, 2, 1], "epoch": 1, "valid_mae": 1.0}
    )
    figure = training_curves_figure(curves, {"a": "A", "b": "B"})
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["2 seeds", "1 seed"]
    assert figure.legends[0].get_title().get_text() == "1 to 2 seeds a method"
    figure = training_curves_figure(curves[curves["seed"] == 1], {"a": "A", "b": "B"})
    assert not any(axes.texts for axes in figure.axes)
    assert figure.legends[0].get_title().get_text() == "1 seed a method"


def test_direction_is_written_under_every_panel(results):
    figure = draw_comparison(results)
    assert figure.axes[0].get_xlabel() == "← lower is better"
    assert figure.axes[1].get_xlabel() == "higher is better →"


@pytest.mark.parametrize("count", [4, 12])
def test_row_labels_do_not_overlap(make_results, count):
    labels = {"amb": "AMB", "finetuned_fusion": "Fine-tuned BERT + layer-wise fusion"}
    long = "Fine-tuned BERT, late fusion variant {} of sixty chars"
    labels |= {f"m{index}": long.format(index) for index in range(2, count)}
    figure = draw_comparison(make_results(labels=labels))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
    assert len(boxes) == count
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_two_renders_are_the_same_bytes(results, tmp_path, suffix):
    for name in ("first", "second"):
        figure = training_curves_figure(results.curves(), results.labels)
        save_figure(figure, tmp_path / (name + suffix))
    first = (tmp_path / f"first{suffix}").read_bytes()
    assert first == (tmp_path / f"second{suffix}").read_bytes()
    assert b"CreationDate" not in first
    assert b"matplotlib.org" not in first


def test_every_run_is_a_curve_and_its_best_epoch_is_marked(results):
    figure = training_curves_figure(results.curves(), results.labels)
    assert [len(axes.lines) for axes in figure.axes] == [11, 11, 11, 4]
    assert [len(axes.collections[0].get_offsets()) for axes in figure.axes] == [10, 10, 10, 3]
    curves = results.curves().query("method == 'amb'")
    best = sorted(curves.groupby("seed")["valid_mae"].min())
    np.testing.assert_allclose(np.sort(figure.axes[0].collections[0].get_offsets()[:, 1]), best)


def test_median_ends_where_most_seeds_have_stopped(results):
    curves = results.curves().query("method == 'amb'")
    last = np.sort(curves.groupby("seed")["epoch"].max().to_numpy())
    assert median_curve(curves).index.max() == last[-5]


def test_labels_are_broken_evenly_and_not_inside_words():
    assert wrapped("Fine-tuned BERT + layer-wise fusion") == "Fine-tuned BERT +\nlayer-wise fusion"
    assert wrapped("AMB") == "AMB"

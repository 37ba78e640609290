"""Pictures of all figures from small synthetic frames, and how the committed ones are renewed.

    python tests/reporting/pictures.py [NAME …]

draws ``baseline_images/`` anew: look at what has changed before you commit it.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from amb.reporting.figures.ablation import ablation_figure
from amb.reporting.figures.claims import claims_figure
from amb.reporting.figures.comparison import comparison_figure
from amb.reporting.figures.effects import RegisteredEffect, effects_figure
from amb.reporting.figures.expected_maximum import expected_maximum_figure
from amb.reporting.figures.fusion_norms import fusion_norms_figure
from amb.reporting.figures.parameters import parameters_figure, parameters_table
from amb.reporting.figures.predictions import predictions_figure
from amb.reporting.figures.robustness import robustness_figure
from amb.reporting.figures.style import save_figure
from amb.reporting.figures.superiority import superiority_figure, superiority_table
from amb.reporting.figures.training_curves import training_curves_figure

BASELINES = Path(__file__).parent / "baseline_images"
DPI = 60  # the files stay small
LABELS = {
    "amb": "AMB",
    "finetuned_fusion": "Fine-tuned BERT + layer-wise fusion",
    "finetuned_late": "Fine-tuned BERT, late fusion",
    "frozen_late": "Frozen BERT, late fusion",
}
TRAINABLE = {
    "amb": 798_825,
    "finetuned_fusion": 23_251_161,
    "finetuned_late": 22_951_385,
    "frozen_late": 386_009,
}
CELLS = {
    ("frozen", "late"): "frozen_late",
    ("adapter", "layerwise"): "amb",
    ("finetuned", "late"): "finetuned_late",
    ("finetuned", "layerwise"): "finetuned_fusion",
}
REFERENCE = "finetuned_fusion"
METRICS = {"mae": 0.72, "acc7": 0.46}
SHIFT = {"amb": 0.02, "finetuned_late": -0.03, "frozen_late": -0.15}
SEEDS = range(1111, 1115)


def rng(*names: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def scores() -> pd.DataFrame:
    rows = [
        (method, seed, "test", metric, level + sign * SHIFT.get(method, 0.0) + noise)
        for metric, level in METRICS.items()
        for sign in [-1 if metric == "mae" else 1]
        for method in LABELS
        for seed, noise in zip(SEEDS, rng(method, metric).normal(0, 0.012, 4), strict=True)
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "split", "metric", "value"])


def summary() -> pd.DataFrame:
    values = scores().groupby(["method", "metric"])["value"]
    frame = values.agg(mean="mean", std="std", seeds="size").reset_index()
    half = 3.182 * frame["std"] / 2  # t of three degrees of freedom, four seeds
    bounds = {"ci_low": frame["mean"] - half, "ci_high": frame["mean"] + half}
    return frame.assign(**bounds, n_items=400, n_videos=40)


def comparison() -> pd.DataFrame:
    means = summary().set_index(["method", "metric"])["mean"]
    rows = []
    for metric in METRICS:
        for method in [name for name in LABELS if name != REFERENCE]:
            gain = means[method, metric] - means[REFERENCE, metric]
            gain = -gain if metric == "mae" else gain
            for scope, half in (("fixed_set", 0.025), ("population", 0.04)):
                rows.append((metric, method, scope, gain, gain - half, gain + half))
    columns = ["metric", "method", "scope", "estimate", "ci_low", "ci_high"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(significant=frame["ci_low"] * frame["ci_high"] > 0)


def claim(kind: str, verdict: str, a: tuple[float, ...], **registered: object) -> dict[str, object]:
    """A judged claim with an estimate and the half-widths of its intervals by scope."""
    estimate, *halves = a
    scopes = ("fixed_set", "population") if kind != "speed" else ("this_hardware",)
    effects = {
        scope: {"estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half}
        for scope, half in zip(scopes, halves, strict=False)
    }
    return {
        "statement": f"A claim of kind {kind}, with a statement that takes more than a line",
        "kind": kind, "verdict": verdict, "scopes": effects, "metric": "mae",
        "contrast": {"a": "amb", "b": REFERENCE, "form": "relative"}, **registered,
    }  # fmt: skip


def claims() -> list[dict[str, object]]:
    form = {"contrast": {"a": "amb", "b": REFERENCE, "form": None}}
    return [
        claim("ordering", "reproduced", (0.031, 0.02, 0.03), sesoi=0.01),
        claim("magnitude", "inconclusive", (0.02, 0.03, 0.05), claimed=0.034, margin=0.017),
        claim("noninferiority", "not reproduced", (-0.03, 0.01, 0.015), margin=0.01, **form),
        claim("speed", "real but smaller than claimed", (0.03, 0.01), sesoi=0.05, **form),
        {"kind": "count", "verdict": "reproduced", "scopes": {}, "statement": "no effect"},
    ]


def curves() -> pd.DataFrame:
    frames = []
    for method in LABELS:
        for seed in SEEDS:
            own = rng(method, seed)
            epoch = np.arange(1, int(own.integers(6, 13)) + 1)
            mae = 0.75 + 0.5 * np.exp(-epoch / 2.5) + own.normal(0, 0.015, len(epoch))
            if (method, seed) == ("frozen_late", 1112):
                mae[1] = 4.0  # one epoch that must not stretch the axis of all
            frames.append(
                pd.DataFrame({"method": method, "seed": seed, "epoch": epoch, "valid_mae": mae})
            )
    return pd.concat(frames, ignore_index=True)


def predictions() -> pd.DataFrame:
    frames = []
    for split, count in (("train", 20), ("test", 80)):
        label = np.round(rng(split).normal(0, 1.3, count).clip(-3, 3), 1)
        for method in LABELS:
            for seed in SEEDS:
                noise = rng(split, method, seed).normal(0, 0.5 - 2 * SHIFT.get(method, 0), count)
                frames.append(
                    pd.DataFrame({
                        "method": method, "seed": seed, "split": split, "corruption": "none",
                        "utterance": [f"{split}{i:02d}" for i in range(count)], "video": "v",
                        "label": label, "prediction": 0.8 * label + noise,
                    })
                )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def norms() -> pd.DataFrame:
    level = {"whole": 0.1, "text": 0.08, "audio": 0.03, "visual": 0.02}
    rows = [
        (method, seed, layer, part, ratio * (0.5 + layer / 6) * own.uniform(0.8, 1.2), 2051)
        for method in ("amb", "finetuned_fusion")
        for seed in SEEDS
        for own in [rng(method, seed)]
        for layer in range(1, 7)
        for part, ratio in level.items()
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "layer", "part", "ratio", "pieces"])


def robustness() -> pd.DataFrame:
    rows = [
        ("mae", "condition", kind, target, method, label, level, value, value - 0.03, value + 0.03)
        for kind, target, levels in (
            ("gaussian", "audio", (0, 0.5, 2)), ("missing", "text", (0, 1)),
        )
        for method, label in LABELS.items()
        for level in levels
        for value in [0.7 - SHIFT.get(method, 0.0) + 0.2 * level]
    ]  # fmt: skip
    columns = ["metric", "quantity", "kind", "target", "method", "label", "level"]
    columns += ["noisy", "noisy_ci_low", "noisy_ci_high"]
    return pd.DataFrame(rows, columns=columns).assign(n_items=400, n_videos=40)


def searches() -> dict[str, list[float]]:
    return {method: list(rng("search", method).gamma(3, 0.1, 12) + 0.7) for method in LABELS}


def effects() -> Figure:
    registered = [RegisteredEffect("mae", "amb", 0.007, "inconclusive")]
    return effects_figure(comparison(), registered, LABELS, list(METRICS), REFERENCE)


PICTURES = {
    "comparison": lambda: comparison_figure(
        scores(), summary(), LABELS, list(METRICS), REFERENCE
    ),
    "claims": lambda: claims_figure(claims()),
    "effects": effects,
    "superiority": lambda: superiority_figure(
        superiority_table(scores(), list(LABELS), "mae"), LABELS, "mae"
    ),
    "ablation": lambda: ablation_figure(scores(), summary(), CELLS, TRAINABLE, list(METRICS)),
    "parameters": lambda: parameters_figure(
        parameters_table(summary(), TRAINABLE, LABELS, "mae"), "mae", REFERENCE
    ),
    "predictions": lambda: predictions_figure(predictions(), LABELS),
    "fusion_norms": lambda: fusion_norms_figure(
        norms(), {name: LABELS[name] for name in ("amb", "finetuned_fusion")}
    ),
    "robustness": lambda: robustness_figure(robustness()),
    "training_curves": lambda: training_curves_figure(curves(), LABELS),
    "expected_maximum": lambda: expected_maximum_figure(searches(), LABELS),
}  # fmt: skip


def renew(names: list[str]) -> None:
    for name in names or PICTURES:
        save_figure(PICTURES[name](), BASELINES / f"{name}.png", dpi=DPI)
        print(BASELINES / f"{name}.png")


if __name__ == "__main__":
    renew(sys.argv[1:])

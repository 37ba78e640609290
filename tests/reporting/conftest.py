"""A synthetic study: four methods with long labels, ten seeds (three for one), five metrics."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from amb.reporting.curves import read_curves
from amb.reporting.inputs import COMPARISON, PAIRS, SCORES, SUMMARY, read_object, read_table
from amb.reporting.tables.comparison import tidy_comparison
from amb.statistics.parameters import ParameterCount, read_parameter_counts
from amb.study import Study, load_study

LEVEL = {"mae": 0.72, "corr": 0.79, "acc7": 0.46, "acc2_non0": 0.85, "f1_non0": 0.85}
LABELS = {
    "amb": "AMB",
    "finetuned_fusion": "Fine-tuned BERT + layer-wise fusion",
    "finetuned_text": "Fine-tuned BERT, text only",
    "late_fusion": "Fine-tuned BERT, late fusion (A & V_concat, 50 %)",
}
TEST_COLUMNS = [
    *("metric", "method", "reference", "scope", "form", "higher_is_better", "estimate", "se", "df"),
    *("ci_low", "ci_high", "p", "mde", "seeds", "seeds_reference", "n_items", "n_videos", "test"),
]
REFERENCE = "finetuned_fusion"


@dataclass
class SyntheticResults:
    """The files that earlier steps leave for reporting."""

    folder: Path
    labels: dict[str, str] = field(default_factory=lambda: dict(LABELS))
    seeds: dict[str, int] = field(default_factory=lambda: {"late_fusion": 3})

    def write(self) -> SyntheticResults:
        """Write study, scores, summary, comparison, claims and run folders."""
        self._write_study()
        scores = self._scores()
        scores.to_csv(self.folder / "scores.csv", index=False)
        self.write_statistics(scores)
        self._write_runs()
        (self.folder / "claims.json").write_text(json.dumps(claims()), encoding="utf-8")
        return self

    def write_statistics(self, scores: pd.DataFrame) -> None:
        summary = _summary(scores)
        summary.to_csv(self.folder / "summary.csv", index=False)
        _comparison(scores).to_csv(self.folder / "comparison.csv", index=False)
        _pairs(scores).to_csv(self.folder / "pairs.csv", index=False)

    @property
    def study(self) -> Study:
        return load_study(self.folder / "study.yaml")

    def read(self, name: str) -> pd.DataFrame:
        layout = {"scores": SCORES, "summary": SUMMARY, "comparison": COMPARISON, "pairs": PAIRS}[
            name
        ]
        return read_table(self.folder / f"{name}.csv", layout)

    def parameters(self) -> dict[str, ParameterCount]:
        return read_parameter_counts(self.folder / "runs", self.study)

    def curves(self) -> pd.DataFrame:
        return read_curves(self.folder / "runs", self.seed_numbers())

    def claims(self) -> dict[str, Any]:
        return read_object(self.folder / "claims.json", "claims", list, "the tested claims")

    def seed_numbers(self) -> dict[str, list[int]]:
        return {name: list(range(1111, 1111 + self.seeds.get(name, 10))) for name in self.labels}

    def table(self) -> pd.DataFrame:
        return tidy_comparison(
            self.read("summary"),
            self.read("comparison"),
            self.read("pairs"),
            self.parameters(),
            self.labels,
            self.study.statistics,
        )

    def _write_study(self) -> None:
        demo = Path(__file__).parents[2] / "config" / "demo.yaml"
        content = yaml.safe_load(demo.read_text(encoding="utf-8"))
        content["methods"] = {
            name: {"label": label, "builder": "amb", "seeds": self.seeds.get(name, 10)}
            for name, label in self.labels.items()
        }
        content["statistics"] = {"reference": REFERENCE, "metrics": list(LEVEL)}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (self.folder / "study.yaml").write_text(text, encoding="utf-8")

    def _scores(self) -> pd.DataFrame:
        rows = [
            (method, seed, split, metric, value, 400 if metric != "acc2_non0" else 380)
            for method, seeds in self.seed_numbers().items()
            for split in ("valid", "test")
            for metric in LEVEL
            for seed, value in zip(seeds, _values(method, metric, split, len(seeds)), strict=True)
        ]
        return pd.DataFrame(rows, columns=["method", "seed", "split", "metric", "value", "n"])

    def _write_runs(self) -> None:
        for method, seeds in self.seed_numbers().items():
            trainable = 612_480 if method == "amb" else 22_713_216
            for seed in seeds:
                run = self.folder / "runs" / method / f"seed{seed}"
                run.mkdir(parents=True)
                record = {"parameters": {"total": 23_325_696, "trainable": trainable}}
                (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
                _curve(method, seed).to_csv(run / "curve.csv", index=False)


def _rng(*names: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def _values(method: str, metric: str, split: str, count: int) -> np.ndarray:
    shift = {"amb": 0.03, "finetuned_text": -0.035}.get(method, 0.0)
    sign = -1 if metric == "mae" else 1
    noise = _rng(method, metric, split).normal(0, 0.012, count)
    return LEVEL[metric] + sign * shift * (metric != "acc7") + noise


def _summary(scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (method, metric), own in scores[scores["split"] == "test"].groupby(["method", "metric"]):
        value = own["value"].to_numpy(float)
        mean, n = value.mean(), len(value)
        std = value.std(ddof=1) if n > 1 else float("nan")
        half = stats.t.ppf(0.975, n - 1) * std / np.sqrt(n) if n > 1 else float("nan")
        items = int(own["n"].iloc[0])
        rows.append((method, metric, n, mean, std, mean - half, mean + half, items, 40))
    columns = ["method", "metric", "seeds", "mean", "std", "ci_low", "ci_high", "n_items"]
    return pd.DataFrame(rows, columns=[*columns, "n_videos"])


def _comparison(scores: pd.DataFrame) -> pd.DataFrame:
    test = scores[scores["split"] == "test"]
    others = [name for name in dict.fromkeys(test["method"]) if name != REFERENCE]
    rows = []
    for metric in LEVEL:
        values = {m: _of(test, m, metric) for m in [*others, REFERENCE]}
        for method in others:
            for scope, widening in (("fixed_set", 1.0), ("population", 3.0)):
                rows.append(_test_row(metric, method, scope, widening, values))
    table = pd.DataFrame(rows, columns=TEST_COLUMNS)
    m = len(rows) // 2
    table["p_adjusted"] = (table["p"] * m).clip(upper=1.0)  # Bonferroni is enough for a picture
    table["significant"] = table["p_adjusted"] < 0.05
    return table.assign(correction=f"Holm, {m} comparisons")


def _pairs(scores: pd.DataFrame) -> pd.DataFrame:
    test = scores[scores["split"] == "test"]
    methods = list(dict.fromkeys(test["method"]))
    rows = []
    for metric in LEVEL:
        values = {m: _of(test, m, metric) for m in methods}
        for a, b in combinations(methods, 2):
            for scope, widening in (("fixed_set", 1.0), ("population", 3.0)):
                row = _test_row(metric, a, scope, widening, {**values, REFERENCE: values[b]})
                own = {"a": a, "b": b, "seeds_a": row["seeds"], "seeds_b": row["seeds_reference"]}
                rows.append({**row, **own, "note": ""})
    count = len(methods) * (len(methods) - 1) // 2
    columns = [*TEST_COLUMNS, "a", "b", "seeds_a", "seeds_b", "note"]
    table = pd.DataFrame(rows, columns=columns)
    table["p_adjusted"] = (table["p"] * count).clip(upper=1.0)
    table["significant"] = table["p_adjusted"] < 0.05
    return table.assign(correction=f"Holm, {count} pairs")


def _of(test: pd.DataFrame, method: str, metric: str) -> np.ndarray:
    return test[(test["method"] == method) & (test["metric"] == metric)]["value"].to_numpy(float)


def _test_row(
    metric: str, method: str, scope: str, widening: float, values: dict[str, np.ndarray]
) -> dict[str, object]:
    a, b = values[method], values[REFERENCE]
    estimate = (a.mean() - b.mean()) * (-1 if metric == "mae" else 1)
    testable = min(len(a), len(b)) > 1
    se = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)) * widening if testable else np.nan
    df = min(len(a), len(b)) - 1.0
    half = stats.t.ppf(0.975, df) * se if testable else np.nan
    return {
        "metric": metric,
        "method": method,
        "reference": REFERENCE,
        "scope": scope,
        "form": "difference",
        "higher_is_better": metric != "mae",
        "estimate": estimate,
        "se": se,
        "df": df,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "p": 2 * stats.t.sf(abs(estimate) / se, df) if testable else np.nan,
        "mde": (stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * se if testable else np.nan,
        "seeds": len(a),
        "seeds_reference": len(b),
        "n_items": 400,
        "n_videos": 40,
        "test": "Welch t over seeds" if scope == "fixed_set" else "two-way jackknife t",
    }


def _curve(method: str, seed: int) -> pd.DataFrame:
    rng = _rng(method, seed)
    epochs = int(rng.integers(6, 13))
    epoch = np.arange(1, epochs + 1)
    mae = 0.75 + 0.5 * np.exp(-epoch / 2.5) + 0.01 * (epoch > 6) + rng.normal(0, 0.015, epochs)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": mae - 0.1,
            "valid_mae": mae,
            "learning_rate": 5e-4,
            "wall_time_s": 1.5,
        }
    )


def claims() -> dict[str, object]:
    """Three claims: an ordering, one without a clear outcome, and a count."""
    wide = {"estimate": 0.039, "ci_low": -0.012, "ci_high": 0.09, "se": 0.025, "df": 38.2}
    return {
        "claims_sha256": "ab" * 32,
        "alpha": 0.05,
        "collapse": {
            "rule": {"split": "valid", "metric": "mae", "worse_than": 1.2},
            "methods": {"amb": {"runs": 10, "collapsed_seeds": [1113], "rate": 0.1}},
        },
        "claims": [
            {
                "id": "amb-beats-finetuned-mae",
                "statement": "AMB can outperform its *fine-tuned* counterpart",
                "source": {"paper": "arXiv 2212.00678", "where": "abstract"},
                "kind": "ordering",
                "metric": "mae",
                "contrast": {"a": "amb", "b": "finetuned_fusion", "form": "relative"},
                "sesoi": 0.01,
                "family": "primary",
                "headline_scope": "fixed_set",
                "verdict": "reproduced",
                "reason": "The whole interval lies above zero [on these test items].",
                "scopes": {
                    "fixed_set": {
                        "estimate": 0.039,
                        "ci_low": 0.0252,
                        "ci_high": 0.0528,
                        "se": 0.0066,
                        "df": 17.3,
                        "p": 2e-5,
                        "p_adjusted": 4e-5,
                        "p_not_reproduced_adjusted": 1.0,
                        "mde": 0.019,
                        "verdict": "reproduced",
                    },
                    "population": {
                        **wide, "p": 0.13, "p_adjusted": 0.26, "mde": 0.073,
                        "verdict": "inconclusive",
                    },
                },
                "seeds": {"a": 10, "b": 10},
                "n_items": 400,
                "n_videos": 40,
                "runs": [{"folder": "runs/amb/seed1111", "identity_sha256": "12ab" * 16}],
            },
            {
                "id": "amb-acc7",
                "statement": "AMB improves 7-class accuracy",
                "source": {"paper": "arXiv 2212.00678", "where": "abstract"},
                "kind": "ordering",
                "metric": "acc7",
                "contrast": {"a": "amb", "b": "finetuned_fusion", "form": "difference"},
                "sesoi": 0.01,
                "family": "primary",
                "headline_scope": "fixed_set",
                "verdict": "inconclusive",
                "reason": "The interval holds both zero and the smallest effect of interest.",
                "scopes": {
                    "fixed_set": {
                        **wide, "p": None, "p_adjusted": None, "mde": 0.019,
                        "verdict": "inconclusive",
                    },
                    "population": None,
                },
                "without_collapsed": {
                    "fixed_set": {
                        **wide, "p": 0.01, "p_adjusted": 0.02, "mde": 0.019,
                        "verdict": "reproduced",
                    },
                },
                "seeds": {"a": 10, "b": 10},
                "n_items": 400,
                "n_videos": 40,
                "runs": [],
            },
            {
                "id": "parameter-efficient",
                "statement": "fast and parameter-efficient training",
                "source": {"paper": "arXiv 2212.00678", "where": "abstract"},
                "kind": "count",
                "metric": None,
                "contrast": {"a": "amb", "b": "finetuned_fusion", "form": None},
                "family": "primary",
                "verdict": "reproduced",
                "reason": "AMB trains fewer parameters.",
                "counts": {
                    "quantity": "trainable_parameters",
                    "a": 612_480,
                    "b": 22_713_216,
                    "ratio": 0.02697,
                    "threshold": 0.1,
                    "share_of_own_total": {"a": 0.026, "b": 0.97},
                },
                "seeds": {"a": 10, "b": 10},
                "n_items": None,
                "n_videos": None,
                "runs": [],
            },
        ],
    }  # fmt: skip


@pytest.fixture
def make_results(tmp_path: Path) -> Callable[..., SyntheticResults]:
    """Return a function that writes the files of a synthetic study with other rows or seeds."""

    def make(**changes: Any) -> SyntheticResults:
        folder = tmp_path / "synthetic"
        folder.mkdir()
        return SyntheticResults(folder, **changes).write()

    return make


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> SyntheticResults:
    return SyntheticResults(tmp_path_factory.mktemp("template")).write()


@pytest.fixture
def results(template: SyntheticResults, tmp_path: Path) -> SyntheticResults:
    """Return a copy of the synthetic study's files that a test may change."""
    return SyntheticResults(shutil.copytree(template.folder, tmp_path / "synthetic"))


@pytest.fixture
def many_results(make_results: Callable[..., SyntheticResults]) -> SyntheticResults:
    more = {f"m{index}": f"Method {index}" for index in range(5)}
    return make_results(labels=LABELS | more)


@pytest.fixture
def table(template: SyntheticResults) -> pd.DataFrame:
    return template.table()

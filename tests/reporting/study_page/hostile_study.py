"""A small study's results folder, made by the suite's own commands; its texts attack a page."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import yaml

from amb.cli import main
from amb.evaluation.predictions import run_folder, write_predictions
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[3]
ROWS = {"amb": (1111, 3, 0.5), "finetuned_fusion": (1111, 3, 0.7), "finetuned_late": (1111, 3, 1.1)}
CONTROL = {"mean_predictor": (1111, 1, 2.0)}
LABELS = {
    "amb": "AMB",
    "finetuned_fusion": "Fine-tuned <b>BERT</b> & fusion",
    "finetuned_late": 'Late "fusion"',
    "mean_predictor": "Mean predictor",
}
HOSTILE = [
    "<script>window.attacked = 1</script>",
    "</script><script>window.attacked = 2</script>",
    "<!-- <script> --> <img src=x onerror='window.attacked = 3'>",
    "line\u2028separator, \u2029 paragraph, \"quotes\", 'quotes', `ticks` ${window.attacked = 4}",
    "{{ 7 * 7 }} {% raw %} \\u003c/script> ]]> &lt;b&gt;",
    "a very long word " + "w" * 400,
    "",
]


def write_study(file: Path, rows: dict) -> None:
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["name"] = "small"
    content["description"] = "Three rows & a control; <i>nothing</i> is meant by it."
    content["methods"] = {
        name: {
            "label": LABELS[name],
            "builder": "mean_predictor" if name in CONTROL else "amb",
            "seeds": count,
        }
        for name, (_, count, _) in rows.items()
    }
    content["statistics"] = {
        "reference": "finetuned_fusion",
        "claims": str(ROOT / "config" / "claims.yaml"),
    }
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def write_runs(folder: Path, study_file: Path, predictions: pd.DataFrame) -> None:
    for name, row in load_study(study_file).methods.items():
        for seed in row.seeds:
            own = (predictions["method"] == name) & (predictions["seed"] == seed)
            run = run_folder(folder / "runs", name, seed)
            write_predictions(run / "predictions.parquet", predictions[own], {"study": "small"})
            epochs = range(1, 5)
            errors = [1.0 / epoch + 0.01 * (seed - 1111) for epoch in epochs]
            curve = {"epoch": list(epochs), "valid_mae": errors}
            pd.DataFrame(curve).to_csv(run / "curve.csv", index=False)
            (run / "run.json").write_text(json.dumps(record(name, seed)), encoding="utf-8")


def record(method: str, seed: int) -> dict:
    return {
        "method": method,
        "seed": seed,
        "parameters": {
            "total": 23_000_000,
            "trainable": 400_000 if method == "amb" else 22_000_000,
        },
        "identity_sha256": f"{seed:064x}",
        "store_sha256": "5a" * 32,
        "backbone_sha256": "b0" * 32,
        "source_sha256": "50" * 32,
        "source": {"commit": "c0ffee" * 6 + "c0ff", "dirty": True},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "device": {"name": "A <fast> machine", "type": "cpu"},
        "wall_time_s": 12.3,
        "peak_memory_bytes": 1_500_000_000,
        "best_epoch": 4,
        "best_valid_mae": 0.25,
        "epochs": 4,
        "threads": 1,
        "matmul_precision": "medium",
    }


def write_texts(folder: Path, predictions: pd.DataFrame) -> None:
    items = predictions.drop_duplicates("utterance").sort_values("utterance")
    texts = [f"utterance number {place} of many" for place in range(len(items))]
    test = [place for place, split in enumerate(items["split"]) if split == "test"]
    for place, text in zip(test, HOSTILE, strict=False):
        texts[place] = text
    (folder / "store").mkdir()
    frame = pd.DataFrame({"id": items["utterance"].to_numpy(), "text": texts})
    frame.to_parquet(folder / "store" / "utterances.parquet", index=False)


def analyse(folder: Path, study: Path) -> None:
    """Run every step right of the predictions."""
    same = ["--study", study, "--runs", folder / "runs"]
    steps = [
        ["study", "--study", study, "--out", folder / "study.json"],
        ["score", *same, "--out-scores", folder / "scores.csv", "--out-summary",
         folder / "summary.csv"],
        ["test", *same, "--out", folder / "comparison.csv", "--out-pairs", folder / "pairs.csv"],
        ["claims", *same, "--claims", ROOT / "config" / "claims.yaml", "--out-json",
         folder / "claims.json"],
        ["tables", *same, "--summary", folder / "summary.csv", "--comparison",
         folder / "comparison.csv", "--pairs", folder / "pairs.csv", "--out-dir",
         folder / "tables"],
        ["figures", "--study", study, "--results", folder, "--out-dir", folder / "figures",
         "--only", "comparison", "claims", "training_curves"],
        ["metrics", "rank-by-variant", *same, "--out", folder / "tables"],
    ]  # fmt: skip
    for step in steps:
        assert main([str(argument) for argument in step]) == 0, step[0]

"""Time the statistics of a large study, from stored predictions to verdicts.

    python -m benchmarks.statistics_step --folder FOLDER

writes predictions of 20 methods × 20 seeds on data of CMU-MOSEI's size (22,856 utterances, of which
4,659 test items in 680 videos) into FOLDER, unless they are there, and runs the commands of the
workflow on them, one after the other, each a process of its own as in the workflow. It prints a
Markdown table: wall time, CPU time of the process, and its largest resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np
import pandas as pd
import yaml

from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import write_json, write_text

ROOT = Path(__file__).resolve().parent.parent
METHODS = ["amb", "finetuned_fusion", *(f"method_{i:02d}" for i in range(2, 20))]
SEEDS = range(1111, 1131)
# Utterances and videos of each split.
SPLITS = {"train": (16326, 2250), "valid": (1871, 300), "test": (4659, 680)}


def items(rng: np.random.Generator) -> pd.DataFrame:
    """Return split, utterance, video and label of all items."""
    parts = []
    for split, (utterances, videos) in SPLITS.items():
        extra = rng.integers(0, videos, utterances - videos)
        video = np.sort(np.concatenate([np.arange(videos), extra]))
        names = [f"{split}{v:07d}" for v in video]
        parts.append(
            pd.DataFrame(
                {
                    "split": split,
                    "corruption": "none",
                    "utterance": [f"{name}_{i}" for i, name in enumerate(names)],
                    "video": names,
                    "label": np.round(3 * rng.normal(0, 1, utterances)) / 3,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def write_study(folder: Path) -> None:
    """Write a study, its predictions and the records of its runs."""
    content = yaml.safe_load((ROOT / "config" / "mosei_text.yaml").read_text(encoding="utf-8"))
    content["methods"] = {name: {"builder": "amb"} for name in METHODS}
    content["seeds"] = {"first": SEEDS[0], "count": len(SEEDS)}
    content["statistics"] = {
        "reference": "finetuned_fusion",
        "metrics": ["mae", "corr", "acc7", "acc5", "acc2_non0", "f1_non0"],
        "claims": str(ROOT / "config" / "claims.yaml"),
    }
    write_text(folder / "study.yaml", yaml.safe_dump(content, sort_keys=False))
    rng = np.random.default_rng(0)
    base = items(rng)
    for method in METHODS:
        for seed in SEEDS:
            run = run_folder(folder / "runs", method, seed)
            guess = 0.6 * base["label"] + rng.normal(0, 0.6, len(base)) + rng.normal(0, 0.02)
            frame = base.assign(method=method, seed=seed, prediction=guess)
            write_predictions(run / "predictions.parquet", frame, {})
            write_json(run / "run.json", {"parameters": {"total": 10, "trainable": 5}})


def measure(name: str, arguments: list[str]) -> tuple[str, float, float, float]:
    """Run one command; return its name, wall and CPU seconds and peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "amb", name, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"amb {name} failed")
    return name, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6


def main() -> None:
    """Write what is missing, run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where to write, 140 MB")
    folder = parser.parse_args().folder.resolve()
    if not (folder / "done.json").is_file():
        write_study(folder)
        write_json(folder / "done.json", {"runs": len(METHODS) * len(SEEDS)})
    study = ["--study", str(folder / "study.yaml"), "--runs", str(folder / "runs")]
    out = folder / "out"
    claims = ["--claims", str(ROOT / "config" / "claims.yaml")]
    scores = ["--out-scores", f"{out}/scores.csv", "--out-summary", f"{out}/summary.csv"]
    step = [
        measure("score", [*study, *scores]),
        measure("test", [*study, "--out", f"{out}/comparison.csv"]),
        measure("claims", [*study, *claims, "--out-json", f"{out}/claims.json"]),
    ]
    further = measure("sensitivity", [*study, "--out", f"{out}/sensitivity.csv"])
    total = ("together", *(sum(row[i] for row in step) for i in (1, 2)), max(r[3] for r in step))
    print("| command | wall, s | CPU, s | peak memory, GB |\n|---|---:|---:|---:|")
    for name, wall, cpu, memory in (*step, total, further):
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {memory:.2f} |")
    print(json.dumps({"load": os.getloadavg()[0], "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()

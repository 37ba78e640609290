"""Time the statistics of a large study, from stored predictions to verdicts.

    python -m benchmarks.statistics_step --folder FOLDER [--beside CHECKOUT] [--repeats 3]

writes predictions of 20 methods × 20 seeds on data of CMU-MOSEI's size (22,856 utterances, of which
4,659 test items in 680 videos) into FOLDER, unless they are there, and runs the commands of the
workflow on them, one after the other, each a process of its own as in the workflow. It prints a
Markdown table: CPU time of the process, the least of the repeats, and its largest resident memory.
With another checkout of this repository, every command is run by both in turn, and a table that is
not the same to the last byte is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
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
FURTHER = "sensitivity"  # not part of the step: it has no say in verdicts
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


@dataclass(frozen=True)
class Cost:
    """What a command took: CPU seconds of the process, and its peak memory in GB."""

    cpu_s: float
    memory_gb: float


def commands(folder: Path, out: Path) -> dict[str, list[str]]:
    """Return the arguments of every command that is timed, by its name."""
    study = ["--study", f"{folder}/study.yaml", "--runs", f"{folder}/runs"]
    claims = ["--claims", f"{ROOT}/config/claims.yaml"]
    scores = ["--out-scores", f"{out}/scores.csv", "--out-summary", f"{out}/summary.csv"]
    return {
        "score": [*study, *scores],
        "test": [*study, "--out", f"{out}/comparison.csv", "--out-pairs", f"{out}/pairs.csv"],
        "claims": [*study, *claims, "--out-json", f"{out}/claims.json"],
        FURTHER: [*study, "--out", f"{out}/sensitivity.csv"],
    }


def measure(name: str, arguments: list[str], checkout: Path) -> Cost:
    """Run one command with the source of one checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "amb", name, *arguments]
    process = subprocess.Popen(command, cwd=checkout, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"amb {name} failed in {checkout}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def compare_outputs(folders: list[Path]) -> None:
    """Stop if the checkouts did not write the same bytes."""
    for file in sorted(folders[0].iterdir()):
        if any((other / file.name).read_bytes() != file.read_bytes() for other in folders):
            raise SystemExit(f"{file.name} differs between the checkouts")


def rows(costs: dict[str, list[Cost]]) -> list[tuple[str, list[Cost]]]:
    """Return the costs of the step's commands, of all together, and of what is further done."""
    step = [name for name in costs if name != FURTHER]
    together = [
        Cost(sum(own.cpu_s for own in each), max(own.memory_gb for own in each))
        for each in zip(*(costs[name] for name in step), strict=True)
    ]
    return [
        *((name, costs[name]) for name in step),
        ("together", together),
        (FURTHER, costs[FURTHER]),
    ]


def main() -> None:
    """Write what is missing, run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where to write, 140 MB")
    parser.add_argument("--beside", type=Path, help="another checkout to run in turn")
    parser.add_argument("--repeats", type=int, default=1, help="runs of every command")
    args = parser.parse_args()
    folder = args.folder.resolve()
    if not (folder / "done.json").is_file():
        write_study(folder)
        write_json(folder / "done.json", {"runs": len(METHODS) * len(SEEDS)})
    checkouts = {"out": ROOT, **({"out_beside": args.beside.resolve()} if args.beside else {})}
    costs: dict[str, list[Cost]] = {}
    for name in commands(folder, folder):
        tries: dict[str, list[Cost]] = {out: [] for out in checkouts}
        for _ in range(args.repeats):
            for out, checkout in checkouts.items():
                tries[out].append(measure(name, commands(folder, folder / out)[name], checkout))
        costs[name] = [min(own, key=lambda cost: cost.cpu_s) for own in tries.values()]
    compare_outputs([folder / out for out in checkouts])
    heads = ["CPU, s", "beside, s", "peak memory, GB", "beside, GB"]
    if not args.beside:
        heads = heads[::2]
    print(f"| command | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for name, own in rows(costs):
        cells = [*(f"{cost.cpu_s:.1f}" for cost in own), *(f"{cost.memory_gb:.2f}" for cost in own)]
        print(f"| {name} | {' | '.join(cells)} |")
    print(json.dumps({"load": os.getloadavg()[0], "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()

"""A study of two rows whose results folder a test fills as it likes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from amb.heartbeat import Progress, birth_of, machine
from amb.status.study import read_status
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]


class Results:
    """A results folder under construction."""

    def __init__(self, folder: Path, resolved: dict) -> None:
        self.folder, self.resolved = folder, resolved

    def run(self, method: str, seed: int) -> Path:
        path = self.folder / "runs" / method / f"seed{seed}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def trained(self, method, seed, *, predicted=False, **record) -> None:
        own = {k: v for k, v in self.resolved["methods"][method].items()
               if k not in ("label", "seeds")}  # fmt: skip
        from amb.study import digest

        view = {k: self.resolved[k] for k in ("data", "backbone")} | {"method": own}
        record = {"config_sha256": digest(view), "best_valid_mae": 0.6, "wall_time_s": 100.0,
                  "epochs": 5, "packed_seeds": [seed], "stopped": "patience", **record}  # fmt: skip
        (self.run(method, seed) / "run.json").write_text(json.dumps(record))
        if predicted:
            (self.run(method, seed) / "predictions.parquet").touch()

    def progress(self, method, seed, pid, **values) -> None:
        now = time.time()
        given = {
            "method": method, "seed": seed, "machine": machine(), "pid": pid,
            "born": birth_of(pid), "started": now - 60, "updated": now, "packed": 1,
            "max_epochs": 20, "epoch": 6, "epoch_s": 10.0, "best_epoch": 5,
            "best_valid_mae": 0.7, **values,
        }  # fmt: skip
        file = self.run(method, seed) / "progress.json"
        file.write_text(json.dumps(vars(Progress(**given))))

    def status(self):
        return read_status(self.resolved, self.folder)

    def states(self):
        return {(r.method, r.seed): r.state for row in self.status().rows for r in row.runs}


@pytest.fixture
def study_file(tmp_path):
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["seeds"]["count"] = 3
    content["methods"] = {"amb": {}, "finetuned_text": {}}
    content["statistics"]["reference"] = "amb"
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


@pytest.fixture
def results(tmp_path, study_file):
    return Results(tmp_path / "results" / "demo", load_study(study_file).resolved())


@pytest.fixture
def nobody():
    """The number of a process that has ended."""
    import subprocess

    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid

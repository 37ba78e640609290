"""A results folder with simulated predictions: records, hashes and files as runs leave them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from amb.cli.verify import run_quietly
from amb.evaluation.predictions import run_folder, write_predictions
from amb.family import layerwise_methods
from amb.files import write_json
from amb.registration import record_evaluation
from amb.resolved_study import copy_config, write_resolved_study
from amb.study import Study, digest, load_study
from amb.verification.inputs import copy_inputs
from amb.verification.rebuild import rebuild

ROOT = Path(__file__).resolve().parents[1]
ROWS = {"amb": (1111, 3, 0.5), "finetuned_text": (1111, 3, 0.7), "finetuned_late": (1111, 2, 0.6)}


@dataclass(frozen=True)
class ResultsFolder:
    """The folder ``results/simulated`` and its study."""

    folder: Path
    study: Study

    def run(self, method: str, seed: int) -> Path:
        return run_folder(self.folder / "runs", method, seed)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory, simulate):
    """A results folder that verifies, made once."""
    base = tmp_path_factory.mktemp("pristine")
    predictions = simulate(ROWS, videos=10, clips=6)
    return make_results(base / "config", base / "results" / "simulated", predictions, run_quietly)


@pytest.fixture
def results(pristine, tmp_path):
    """A copy that a test may change."""
    return ResultsFolder(shutil.copytree(pristine.folder, tmp_path / "simulated"), pristine.study)


def study_content() -> dict:
    """A study of three rows; its data are not needed."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["name"] = "simulated"
    content["data"] = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": "none.csv"}}
    content["methods"] = {
        "finetuned_text": {"label": "Text only", "seeds": 3},
        "amb": {"label": "AMB & fusion", "seeds": 3},
        "finetuned_late": {"label": "Late_fusion", "seeds": 2},
    }
    content["statistics"] = {"reference": "finetuned_text", "metrics": ["mae", "corr"]}
    return content


def make_results(
    config: Path, folder: Path, predictions: pd.DataFrame, run_command
) -> ResultsFolder:
    """Write study, runs and everything that the steps make of them."""
    config.mkdir()
    claims = (ROOT / "config" / "claims.yaml").read_bytes()
    (config / "claims.yaml").write_bytes(claims)
    (config / "published.csv").write_bytes((ROOT / "config" / "published.csv").read_bytes())
    results = make_runs(config / "simulated.yaml", folder, study_content(), predictions)
    inputs = ["--study", str(results.study.file), "--runs", str(folder / "runs")]
    run_command(["costs", *inputs, "--out", str(folder / "costs.csv")])
    work = config.parent / "work"
    assert rebuild(copy_inputs(folder, work), folder, run_command) == []
    return results


def make_runs(file: Path, folder: Path, content: dict, predictions: pd.DataFrame) -> ResultsFolder:
    """Write a study, whose claims file is there, and its runs."""
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    study = load_study(file)
    write_resolved_study(study, folder / "study.json")
    copy_config(study, folder / "config")
    results = ResultsFolder(folder, study)
    for (method, seed), rows in predictions.groupby(["method", "seed"]):
        _write_run(results, str(method), int(seed), rows)
    return results


def _write_run(results: ResultsFolder, method: str, seed: int, rows: pd.DataFrame) -> None:
    folder, view = results.run(method, seed), results.study.training_view(method)
    identity = {
        "study": results.study.name,
        "method": method,
        "seed": seed,
        "config_sha256": digest(view),
        "store_sha256": "5" * 64,
        "backbone_sha256": "b" * 64,
        "tokenizer_sha256": "d" * 64,
        "source_sha256": "c" * 64,
    }
    checkpoint = digest([method, seed])
    trainable = 400_000 if method == "amb" else 15_000_000
    write_json(
        folder / "run.json",
        {
            "schema": 1,
            **identity,
            "identity_sha256": digest(identity),
            "checkpoint_sha256": checkpoint,
            "config": json.loads(json.dumps(view)),
            "parameters": {"total": 16_000_000, "trainable": trainable},
            "best_valid_mae": 0.5,
        },
    )
    curve = {
        "epoch": [1, 2, 3],
        "valid_mae": [0.9, 0.7, 0.6 + seed % 7 / 100],
        "wall_time_s": [1.5, 1.25, 1.25],
    }
    pd.DataFrame(curve).to_csv(folder / "curve.csv", index=False)
    if method in layerwise_methods(results.study):
        norms = {"layer": [1, 2], "part": "whole", "added": [0.5, 1.5], "hidden": [10.0, 12.0]}
        norms |= {"ratio": [0.05, 0.125], "pieces": 400}
        pd.DataFrame(norms).to_csv(folder / "fusion_norms.csv", index=False)
    record_evaluation(folder, results.study.claims_file())
    origin = {"checkpoint_sha256": checkpoint, "store_sha256": "5" * 64, "source_sha256": "e" * 64}
    write_predictions(folder / "predictions.parquet", rows, origin)

"""Runs of two machines, merged: the workflow finds them complete and trains nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from snakemake_command import PROJECT, snakemake

from amb.cli import main

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (1111, 1112)
pytestmark = pytest.mark.workflow


@pytest.fixture
def study(tiny, tmp_path):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {"late_fusion": {}}
    content["statistics"]["reference"] = "late_fusion"
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def train_on(machine, study, tiny, seed):
    inputs = ["--study", study, "--store", tiny.store, "--backbone", tiny.backbone]
    run = ["--method", "late_fusion", "--seeds", seed, "--runs", machine / "runs", "--gpus", 0]
    for command in ("train", "evaluate"):
        assert main([command, *map(str, inputs + run)]) == 0


def test_the_workflow_makes_tables_of_merged_runs_without_training(tiny, study, tmp_path):
    machines = [tmp_path / name for name in ("a", "b")]
    for machine, seed in zip(machines, SEEDS, strict=True):
        train_on(machine, study, tiny, seed)
    results = tmp_path / "work" / "results" / "tiny"
    assert main(["merge", *map(str, machines), "--out", str(results)]) == 0
    merged = {file: file.read_bytes() for file in results.rglob("*") if file.is_file()}

    what = [*PROJECT, "results/tiny/scores.csv", "--directory", tmp_path / "work", "--cores", "1"]
    what += ["--resources", "gpu=0", "--config", f"study={study}", "finish=none"]
    done = snakemake(*what)
    assert done.returncode == 0, done.stderr
    trained = (results / "logs" / "train_late_fusion_0.log").read_text()
    evaluated = (results / "logs" / "evaluate_late_fusion_0.log").read_text()
    for seed in SEEDS:
        assert f"seed {seed}: already complete" in trained
        assert f"seed {seed}: already predicted" in evaluated
    assert {file: file.read_bytes() for file in merged} == merged
    assert len((results / "scores.csv").read_text().splitlines()) > len(SEEDS)

    again = snakemake(*what, "-n")
    assert "Nothing to be done" in again.stdout + again.stderr

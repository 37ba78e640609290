"""The workflow for real: a tiny study from nothing to verdicts, then what a rerun does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import snakemake_command
import yaml
from snakemake_command import PROJECT, jobs_in

from amb.cli import main
from amb.evaluation.predictions import read_origin, write_predictions

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(file.stem for file in (ROOT / "config").glob("*.yaml"))
STUDIES = [name for name in CONFIGS if not name.startswith("claims")]
pytestmark = pytest.mark.workflow


def snakemake(folder, *arguments, cores=2, **environment):
    where = ["--directory", folder, "--cores", cores, "--resources", "gpu=1"]
    return snakemake_command.snakemake(*PROJECT, *where, *arguments, **environment)


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_plans_without_its_data(tmp_path, study):
    file = ROOT / "config" / f"{study}.yaml"
    done = snakemake(tmp_path, "-n", "--config", f"study={file}", AMB_DATA_ROOT="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert "train_" in done.stdout + done.stderr


def test_a_misspelt_key_stops_the_workflow_with_its_name(tmp_path, tiny):
    file = tmp_path / "study.yaml"
    file.write_text(tiny.file.read_text().replace("patience", "patiense"))
    done = snakemake(tmp_path, "-n", "--config", f"study={file}")
    assert done.returncode != 0
    assert "unknown key patiense" in done.stdout + done.stderr


def test_no_two_rules_share_a_log(tmp_path, tiny):
    done = snakemake(tmp_path, "-n", "--config", f"study={tiny.file}")
    logs = [line for line in done.stdout.splitlines() if line.strip().startswith("log:")]
    assert len(logs) > 10
    assert len(logs) == len(set(logs))


def test_commands_are_given_folders_of_the_results_and_not_the_working_folder(tmp_path, tiny, plan):
    planned = plan(tmp_path, tiny.file)
    assert "--results results/tiny --out results/tiny/index.html" in planned["write_page"]
    assert not [rule for rule, lines in planned.items() if re.search(r" --[\w-]+ \.( |$)", lines)]


def test_a_failed_step_is_summed_up_with_what_to_do(tmp_path):
    study = ROOT / "config" / "mosi_sdk.yaml"
    arguments = ["--until", "prepare_data", "--config", f"study={study}"]
    done = snakemake(tmp_path, *arguments, AMB_DATA_ROOT="/nonexistent")
    assert done.returncode != 0
    summary = done.stderr[done.stderr.index("One step failed:") :].splitlines()
    assert "  prepare_data" in summary
    assert any("/nonexistent/" in line and "no such file" in line for line in summary)
    assert any("what to do: Correct what the line names." in line for line in summary)
    assert "    log: results/mosi_sdk/logs/prepare_data.log" in summary
    assert f"Where the study stands: amb status {study}" in summary


def plan_of_training(folder, study, machine, gpus, monkeypatch):
    """What a training job would be on a machine that has two GPUs, or none."""
    program = machine / "nvidia-smi"
    listing = "".join(f"GPU {n}: NVIDIA H100 (UUID: GPU-{n})\\n" for n in range(2))
    program.write_text(f"#!/bin/sh\nprintf '{listing if gpus else ''}'\n")
    program.chmod(0o755)
    # A build of torch for CUDA, as far as its version tells.
    (machine / "torch-2.13.0.dist-info").mkdir(exist_ok=True)
    (machine / "torch-2.13.0.dist-info" / "METADATA").write_text("Name: torch\nVersion: 2.13.0\n")
    paths = [str(machine), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {"PATH": os.pathsep.join(paths), "PYTHONPATH": f"{machine}{os.pathsep}{ROOT}"}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    where = ["--directory", folder, "--cores", 8, "--resources", "gpu=4", "-n", "-p"]
    done = snakemake_command.snakemake(
        *PROJECT, *where, "--config", f"study={study}", **environment
    )
    assert done.returncode == 0, done.stderr
    return jobs_in(done.stdout)["train_amb_0"]


def test_jobs_take_a_gpu_each_where_there_are_gpus_and_a_core_a_seed_where_not(
    tmp_path, tiny, monkeypatch
):
    machine = tmp_path / "machine"
    machine.mkdir()
    with_gpus = plan_of_training(tmp_path, tiny.file, machine, True, monkeypatch)
    assert "--workers 1 --gpus 1" in with_gpus
    without = plan_of_training(tmp_path, tiny.file, machine, False, monkeypatch)
    assert "--workers 2 --gpus 0" in without


def test_a_tiny_study_runs_to_verdicts_and_reruns_only_what_is_missing(tmp_path, tiny):
    study = tmp_path / "my own $study.yaml"  # what a shell would take apart
    study.write_text(tiny.file.read_text())
    arguments = ["--config", f"study={study}"]
    first = snakemake(tmp_path, *arguments)
    assert first.returncode == 0, first.stderr
    results = tmp_path / "results" / "tiny"
    for name in (
        "claims.md", "tables/comparison.tex", "tables/metric_variants.html",
        "figures/comparison.pdf", "report.html",
    ):  # fmt: skip
        assert (results / name).stat().st_size > 0, name
    assert "Claims" in first.stdout
    assert first.stderr.count("No GPU on this machine: running on the CPU.") == 1

    verified = subprocess.run(
        [sys.executable, "-m", "amb", "verify", str(results)], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr

    again = snakemake(tmp_path, *arguments)
    assert "Nothing to be done" in again.stdout + again.stderr

    # A run whose files are gone is trained again, to the same bits, and no other is.
    lost = results / "runs" / "amb" / "seed1112"
    kept = results / "runs" / "amb" / "seed1111" / "run.json"
    record, predictions = kept.read_bytes(), (lost / "predictions.parquet").read_bytes()
    for file in lost.iterdir():
        file.unlink()
    # What follows predictions is not made again: it is the same, and was shown above.
    predictions_of_lost = "results/tiny/runs/amb/seed1112/predictions.parquet"
    third = snakemake(tmp_path, *arguments, "finish=none", "--", predictions_of_lost)
    assert third.returncode == 0, third.stderr
    log = (results / "logs" / "train_amb_0.log").read_text()
    assert "seed 1111: already complete" in log
    assert "seed 1112: best epoch" in log
    assert kept.read_bytes() == record
    assert (lost / "predictions.parquet").read_bytes() == predictions
    evaluated = (results / "logs" / "evaluate_amb_0.log").read_text()
    assert "seed 1111: already predicted" in evaluated
    assert "seed 1112: 78 predictions" in evaluated
    untouched = (results / "logs" / "train_finetuned_late_0.log").read_text()
    assert "already complete" not in untouched


@pytest.mark.skipif("AMB_FAULTS" not in os.environ, reason="tests/faults kills what has workers")
def test_a_killed_pack_keeps_the_runs_that_it_had_finished(tmp_path, tiny):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {"late_fusion": {}}
    content["seeds"]["count"] = 8
    content["statistics"]["reference"] = "late_fusion"
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    runs = tmp_path / "results" / "tiny" / "runs" / "late_fusion"
    # No more than predictions: what follows them is shown by the test above.
    arguments = ["--config", f"study={study}", "seeds_per_job=8", "--", "results/tiny/scores.csv"]
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(snakemake, tmp_path, *arguments, cores=1)
        while len(list(runs.glob("*/run.json"))) < 2:
            assert not killed.done(), killed.result().stderr
            time.sleep(0.05)
        subprocess.run(["pkill", "-KILL", "-f", f"amb train --study {study}"], check=True)
        assert killed.result().returncode != 0
    kept = {file: file.read_bytes() for file in runs.glob("*/run.json")}
    assert 2 <= len(kept) < 8, "the kill came too late to show anything"

    again = snakemake(tmp_path, *arguments, cores=1)
    assert again.returncode == 0, again.stderr
    log = (tmp_path / "results" / "tiny" / "logs" / "train_late_fusion_0.log").read_text()
    assert log.count("already complete") == len(kept)
    assert all(file.read_bytes() == content for file, content in kept.items())


def test_control_rows_are_checked_and_one_out_of_range_fails_the_run(tmp_path, tiny, capsys):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {
        "late_fusion": {},
        "label_oracle": {},
        "mean_predictor": {},
        "shuffled": {"builder": "late_fusion", "control": "shuffled_audio"},
        "permuted": {"builder": "late_fusion", "control": "permuted_labels"},
    }
    content["statistics"]["reference"] = "late_fusion"
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    targets = ["results/tiny/controls.json", "results/tiny/study.json"]
    arguments = ["--config", f"study={study}", "--", *targets]
    first = snakemake(tmp_path, *arguments)
    assert first.returncode == 0, first.stderr
    results = tmp_path / "results" / "tiny"
    table = results / "tables" / "controls.md"
    assert "4 of 4 control rows in range" in table.read_text()
    quantities = pd.read_csv(results / "tables" / "controls.csv").set_index("row")["quantity"]
    for row in ("permuted", "shuffled", "mean_predictor"):
        cell = f"controls:{row}:{quantities[[row]].iloc[-1]}"
        assert main(["trace", str(results), cell]) == 0, cell
    traced = capsys.readouterr().out
    assert "DIFFERS" not in traced
    assert "runs/late_fusion/seed1111" in traced  # what the shuffled row is compared with

    leaky = results / "runs" / "permuted" / "seed1112" / "predictions.parquet"
    frame, origin = pd.read_parquet(leaky), read_origin(leaky)
    write_predictions(leaky, frame.assign(prediction=frame["label"] * 0.5), origin)
    again = snakemake(tmp_path, *arguments)
    assert again.returncode != 0
    assert "control permuted, seed 1112, MAE" in (results / "logs/check_controls.log").read_text()
    assert "3 of 4 control rows in range" in table.read_text()


def test_a_study_without_control_rows_has_nothing_to_check(tmp_path, tiny):
    done = snakemake(tmp_path, "-n", "--config", f"study={tiny.file}")
    assert done.returncode == 0, done.stderr
    assert "check_controls" not in done.stdout + done.stderr


def test_rules_of_corruption_exist_only_where_a_study_has_a_grid(tmp_path, tiny):
    rules = ("corrupt_amb_0", "score_robustness", "draw_robustness")
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"]["label_oracle"] = {}
    for grid in (None, {"kind": "gaussian", "targets": ["audio"], "levels": [1]}):
        if grid:
            content["corruption"] = {"draws": 2, "grid": [grid]}
        study = tmp_path / "study.yaml"
        study.write_text(yaml.safe_dump(content, sort_keys=False))
        done = snakemake(tmp_path, "-n", "--config", f"study={study}")
        assert done.returncode == 0, done.stderr
        planned = done.stdout + done.stderr
        assert [rule in planned for rule in rules] == [grid is not None] * 3
        assert "corrupt_label_oracle" not in planned

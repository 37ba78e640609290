"""Runs of several machines are joined if they belong together, and only then."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from simulated_results import ResultsFolder, pristine

from amb.cli import main
from amb.errors import InputError
from amb.evaluation.predictions import read_origin, write_predictions
from amb.files import read_json, sha256_of, write_json
from amb.merging.merge import merge_results
from amb.study import digest

__all__ = ["pristine"]
IDENTITY = (
    *("study", "method", "seed", "config_sha256", "store_sha256"),
    *("backbone_sha256", "tokenizer_sha256", "source_sha256"),
)


@pytest.fixture(scope="module")
def trained(pristine, tmp_path_factory):
    """A results folder as machines leave it: with checkpoints."""
    folder = tmp_path_factory.mktemp("trained") / "simulated"
    results = ResultsFolder(shutil.copytree(pristine.folder, folder), pristine.study)
    for record in sorted(folder.glob("runs/*/*/run.json")):
        write_checkpoint(record.parent, 0.5)
    return results


def write_checkpoint(run, value, **changes):
    """Give a run a checkpoint of its own, and other inputs if asked; its hashes follow."""
    record = {**read_json(run / "run.json"), **changes}
    record["identity_sha256"] = digest({key: record[key] for key in IDENTITY})
    identity = {key: record[key] for key in (*IDENTITY, "identity_sha256")}
    file = run / "checkpoint.safetensors"
    metadata = {"amb": json.dumps(identity, sort_keys=True)}
    save_file({"weight": np.full(4, value, np.float32)}, file, metadata=metadata)
    write_json(run / "run.json", {**record, "checkpoint_sha256": sha256_of(file)})
    predictions = run / "predictions.parquet"
    origin = {**(read_origin(predictions) or {}), "checkpoint_sha256": sha256_of(file)}
    origin["store_sha256"] = record["store_sha256"]
    write_predictions(predictions, pd.read_parquet(predictions), origin)


@pytest.fixture
def machines(trained, tmp_path):
    """Two machines: one has finetuned_text, the other amb, and both amb 1111."""
    folders = [tmp_path / name / "simulated" for name in ("a", "b")]
    for folder in folders:
        shutil.copytree(trained.folder, folder)
    for run in [*folders[0].glob("runs/amb/seed111[23]"), *folders[1].glob("runs/finetuned_text")]:
        shutil.rmtree(run)
    return folders


def files_below(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_runs_of_two_machines_are_joined_and_equal_ones_are_one(
    machines, trained, tmp_path, capsys
):
    out = tmp_path / "merged"
    interrupted = machines[1] / "runs" / "amb" / "seed1114"
    interrupted.mkdir()
    (interrupted / "resume.safetensors").touch()
    assert main(["merge", *map(str, machines), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "8 runs of study simulated" in said
    assert f"{machines[1]}: 2 runs, 3 there already in the same bits" in said
    assert f"not finished: amb 1114 in {machines[1]}" in said
    assert files_below(out / "runs") == files_below(trained.folder / "runs")
    for name in files_below(out / "runs"):
        assert (out / "runs" / name).read_bytes() == (trained.folder / "runs" / name).read_bytes()


def test_what_one_machine_lacks_of_a_run_comes_from_the_other_and_the_first_note_stays(
    machines, tmp_path
):
    run = "runs/amb/seed1111"
    (machines[0] / run / "predictions.parquet").unlink()
    note = read_json(machines[1] / run / "evaluated.json")
    earlier = {**note, "first_evaluation_at": "2020-01-01T00:00:00+00:00"}
    write_json(machines[1] / run / "evaluated.json", earlier)
    merge_results(machines, tmp_path / "out")
    assert (tmp_path / "out" / run / "predictions.parquet").is_file()
    assert read_json(tmp_path / "out" / run / "evaluated.json") == earlier


def test_times_of_predictions_are_kept(machines, tmp_path):
    for machine in machines:
        os.utime(machine / "runs" / "amb" / "seed1111" / "predictions.parquet", (1e9, 1e9))
    merge_results(machines, tmp_path / "out")
    file = tmp_path / "out" / "runs" / "amb" / "seed1111" / "predictions.parquet"
    assert file.stat().st_mtime == 1e9


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"study": "another"}, "study"),
        ({"store_sha256": "6" * 64}, "store_sha256"),
        ({"backbone_sha256": "a" * 64}, "backbone_sha256"),
        ({"tokenizer_sha256": "a" * 64}, "tokenizer_sha256"),
        ({"source_sha256": "d" * 64}, "source_sha256"),
    ],
)
def test_a_run_that_goes_back_to_something_else_is_refused_with_both_hashes(
    machines, tmp_path, changes, field
):
    run = machines[1] / "runs" / "amb" / "seed1112"
    before = read_json(run / "run.json")[field]
    write_checkpoint(run, 0.5, **changes)
    found = f"{run / 'run.json'}: {field}: found '{changes[field]}', expected {before}, as in"
    with pytest.raises(InputError, match=found):
        merge_results(machines, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_another_recipe_is_refused_with_both_hashes(machines, tmp_path):
    run = machines[1] / "runs" / "amb" / "seed1112"
    config = read_json(run / "run.json")["config"]
    config["method"]["training"]["learning_rate"] *= 2
    write_checkpoint(run, 0.5, config=config, config_sha256=digest(config))
    with pytest.raises(InputError, match=f"config_sha256: found '{digest(config)}', expected"):
        merge_results(machines, tmp_path / "out")


def test_one_run_in_other_bits_is_refused_and_names_the_tool_that_compares(machines, tmp_path):
    run = machines[1] / "runs" / "amb" / "seed1111"
    file = run / "predictions.parquet"
    frame = pd.read_parquet(file)
    frame.loc[3, "prediction"] += np.float32(0.25)
    write_predictions(file, frame, read_origin(file))
    with pytest.raises(InputError, match=r"others, by 0\.25.*amb compare-runs .*--tolerance"):
        merge_results(machines, tmp_path / "out")
    write_predictions(file, pd.read_parquet(machines[0] / "runs/amb/seed1111" / file.name), {})
    shutil.copy(machines[0] / "runs/amb/seed1111" / file.name, file)
    write_checkpoint(run, 0.75)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: SHA-256: found .*compare-runs"):
        merge_results(machines, tmp_path / "out")


def link(run, name="curve.csv"):
    (run / name).unlink()
    (run / name).symlink_to("/etc/passwd")


def link_inside(run):
    (run / "curve.csv").rename(run / "other.csv")
    (run / "curve.csv").symlink_to("other.csv")


def link_folder(run):
    shutil.move(run, run.parent / "kept")
    run.symlink_to("kept")


def flip(name):
    def damage(run):
        content = bytearray((run / name).read_bytes())
        content[len(content) // 2] ^= 1
        (run / name).write_bytes(content)

    return damage


def other_labels(run):
    file = run / "predictions.parquet"
    frame = pd.read_parquet(file)
    frame["label"] = -frame["label"]
    write_predictions(file, frame, read_origin(file))


def other_rows(run):
    file = run / "predictions.parquet"
    write_predictions(file, pd.read_parquet(file).assign(seed=7), read_origin(file))


def write_pickle(run):
    import pickle

    content = pickle.dumps({"amb": 1})
    (run / "checkpoint.safetensors").write_bytes(content)
    record = read_json(run / "run.json")
    record["checkpoint_sha256"] = sha256_of(run / "checkpoint.safetensors")
    write_json(run / "run.json", record)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (link, "link: found '/etc/passwd'"),
        (link_inside, r"link: found 'other\.csv'"),
        (link_folder, "link: found 'kept', expected a folder"),
        (lambda run: (run / "curve.csv").unlink(), r"curve\.csv: file: found 'no such file'"),
        (flip("checkpoint.safetensors"), r"checkpoint\.safetensors: SHA-256"),
        (flip("predictions.parquet"), r"predictions\.parquet: "),
        (write_pickle, r"checkpoint\.safetensors: content: .*expected a run's checkpoint"),
        (lambda run: (run / "run.json").write_text("[]"), r"run\.json: content: found 'list'"),
        (lambda run: (run / "run.json").write_text("{"), r"run\.json: JSON"),
        (lambda run: (run / "run.json").write_text("{}"), r"run\.json: method: found None"),
        (other_labels, "label of"),
        (other_rows, r"method, seed: found .*7"),
        (lambda run: run.rename(run.with_name("seed5")), "seed: found 1112, expected 5"),
        (lambda run: os.truncate(run / "curve.csv", 10**9), "size: found '1,000,000,000 bytes'"),
    ],
)
def test_a_strangers_run_that_is_not_what_it_says_is_refused(machines, tmp_path, damage, message):
    run = machines[1] / "runs" / "amb" / "seed1112"
    damage(run)
    with pytest.raises(InputError, match=message) as caught:
        merge_results(machines, tmp_path / "out")
    assert str(machines[1]) in str(caught.value)
    assert str(tmp_path / "out") not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_names_that_are_no_runs_are_left_alone(machines, tmp_path):
    for name in ("runs/../../escaped", "runs/amb/seed01", "runs/AMB/seed1", "runs/amb/seed1 1"):
        (machines[1] / name).mkdir(parents=True)
        (machines[1] / name / "run.json").write_text("{}")
    merge_results(machines, tmp_path / "out")
    assert {run.name for run in (tmp_path / "out" / "runs" / "amb").iterdir()} == {
        "seed1111", "seed1112", "seed1113",
    }  # fmt: skip


def test_no_folder_is_overwritten_and_one_without_runs_is_named(machines, tmp_path):
    with pytest.raises(InputError, match="exists already"):
        merge_results(machines, machines[0])
    with pytest.raises(InputError, match="a results folder with runs/"):
        merge_results([tmp_path], tmp_path / "out")

"""``amb compare-runs``: what it finds between two results, real ones and altered ones."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amb.cli import main
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import write_predictions
from amb.evaluation.reading import read_predictions
from amb.files import read_json, write_json
from amb.statistics.run_agreement import compare_results

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (11, 12)
HASHES = dict.fromkeys(("config_sha256", "store_sha256", "backbone_sha256", "source_sha256"), "0a")


@pytest.fixture
def results(tmp_path, simulate):
    """Two results of two methods with two seeds each, the second a copy of the first."""
    a, b = tmp_path / "a", tmp_path / "b"
    frame = simulate({"amb": (11, 2, 0.5), "late_fusion": (11, 2, 0.8)})
    for (method, seed), rows in frame.groupby(["method", "seed"]):
        run = a / "runs" / method / f"seed{seed}"
        record = {"study": "tiny", "method": method, "seed": int(seed), **HASHES, "threads": 1}
        record |= {"device": {"type": "cpu", "name": "EPYC"}, "versions": {"torch": "2.13.0"}}
        write_json(run / "run.json", {**record, "source": {"commit": "f00", "dirty": False}})
        write_predictions(run / "predictions.parquet", rows, {})
    shutil.copytree(a, b)
    return a, b


def alter_predictions(run, change):
    """Rewrite a run's predictions as ``change`` returns them."""
    file = run / "predictions.parquet"
    write_predictions(file, change(pd.read_parquet(file)), {})


def shift_one(split, by):
    def change(frame):
        place = frame.index[frame["split"] == split][0]
        frame.loc[place, "prediction"] += np.float32(by)
        return frame

    return change


def test_equal_results_agree_in_every_bit(results, capsys):
    agreement = compare_results(*results)
    assert len(agreement.runs) == 4
    for run in agreement.runs:
        assert run.identical
        assert (run.largest, run.mean, run.identities, run.environment) == (0, 0, (), {})
        assert set(run.metrics.values()) == {0.0}
    assert main(["compare-runs", *map(str, results), "--tolerance", "0"]) == 0
    assert "4 of 4 runs have the same predictions" in capsys.readouterr().out


def test_differences_are_those_of_the_predictions_and_of_the_test_metrics(results):
    a, b = results
    place = Path("runs/amb/seed12")

    def add_noise(frame):
        noise = np.random.default_rng(3).normal(0, 0.3, len(frame))
        return frame.assign(prediction=(frame["prediction"] + noise).astype(np.float32))

    alter_predictions(b / place, add_noise)
    before, after = (read_predictions([root / place / "predictions.parquet"]) for root in (a, b))
    gap = (after["prediction"].astype(float) - before["prediction"].astype(float)).abs()
    agreement = compare_results(a, b)
    changed = [run for run in agreement.runs if not run.identical]
    assert [(run.method, run.seed) for run in changed] == [("amb", 12)]
    (run,) = changed
    assert run.predictions == len(before)
    assert run.largest == gap.max()
    assert run.mean == pytest.approx(gap.mean(), rel=1e-12)
    for name, metric in METRICS.items():
        first, second = (
            metric(f["label"], [f["prediction"]])[0]
            for f in (frame[frame["split"] == "test"] for frame in (before, after))
        )
        assert run.metrics[name] == pytest.approx(second - first, abs=1e-12), name


def test_a_difference_on_validation_alone_moves_no_metric(results):
    alter_predictions(results[1] / "runs/amb/seed11", shift_one("valid", 0.25))
    run = compare_results(*results).runs[0]
    assert not run.identical
    assert run.largest == pytest.approx(0.25, abs=1e-6)
    assert set(run.metrics.values()) == {0.0}


def test_a_zero_with_another_sign_is_equal_but_not_identical(results):
    for root, zero in zip(results, (0.0, -0.0), strict=True):
        run = root / "runs/amb/seed11"
        alter_predictions(run, lambda frame, zero=zero: frame.assign(prediction=zero))
    run = compare_results(*results).runs[0]
    assert (run.identical, run.largest) == (False, 0.0)
    assert np.isnan(run.metrics["corr"])  # constant predictions have no correlation
    assert run.metrics["mae"] == 0


def test_identities_and_machines_that_differ_are_named(results, capsys):
    a, b = results
    record = b / "runs/late_fusion/seed11/run.json"
    content = read_json(record) | {"threads": 2, "source_sha256": "1b"}
    content["device"] = {"type": "cuda", "name": "H100"}
    content["versions"] = {"torch": "2.14.0"}
    content["source"] = {"commit": "f00", "dirty": True}
    write_json(record, content)
    run = compare_results(a, b).runs[2]
    assert (run.method, run.identities) == ("late_fusion", ("source",))
    assert run.environment == {
        "device": ("cpu, EPYC", "cuda, H100"),
        "threads": ("1", "2"),
        "torch": ("2.13.0", "2.14.0"),
        "commit": ("f00", "f00 (edited)"),
    }
    assert main(["compare-runs", str(a), str(b)]) == 0
    printed = capsys.readouterr().out
    assert "device is cpu, EPYC in A and cuda, H100 in B (1 of 4 runs)." in printed


@pytest.mark.parametrize(("tolerance", "status"), [("0.3", 0), ("0.2", 1), ("0", 1)])
def test_the_exit_status_tells_whether_the_tolerance_is_kept(results, tolerance, status):
    alter_predictions(results[1] / "runs/amb/seed11", shift_one("test", 0.25))
    command = [sys.executable, "-m", "amb", "compare-runs", *results, "--tolerance", tolerance]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == status, done.stderr
    assert ("not the same within" in done.stderr) == bool(status)


def test_a_run_that_only_one_has_breaks_every_tolerance(results, capsys):
    a, b = results
    shutil.rmtree(b / "runs/amb/seed12")
    agreement = compare_results(a, b)
    assert (agreement.only_a, agreement.only_b) == ((("amb", 12),), ())
    assert not agreement.within(1.0)
    assert main(["compare-runs", str(a), str(b)]) == 0  # nothing was asked
    assert "Only A has 1 runs: amb 12." in capsys.readouterr().out


def test_one_run_can_be_compared_with_one_run(results):
    a, b = (root / "runs/amb/seed12" for root in results)
    assert [(run.method, run.seed) for run in compare_results(a, b).runs] == [("amb", 12)]
    assert len(compare_results(results[0] / "runs", results[1]).runs) == 4


def test_files_hold_every_number(results, tmp_path):
    alter_predictions(results[1] / "runs/amb/seed11", shift_one("test", 0.25))
    paths = tmp_path / "out.json", tmp_path / "out.csv"
    for path in paths:
        assert main(["compare-runs", *map(str, results), "--output", str(path)]) == 0
    content = json.loads(paths[0].read_text())
    assert content["within_tolerance"] is None
    with paths[1].open() as handle:
        rows = list(csv.DictReader(handle))
    for run, row in zip(content["runs"], rows, strict=True):
        assert (run["method"], run["seed"]) == (row["method"], int(row["seed"]))
        assert run["largest"] == float(row["largest"])
        for name in METRICS:
            assert run["metrics"][name] == float(row[f"{name}_difference"])


def drop_utterance(frame):
    return frame[frame["utterance"] != frame["utterance"].iloc[0]]


def change_label(frame):
    frame.loc[0, "label"] += np.float32(1)
    return frame


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: alter_predictions(run, drop_utterance), "found 'missing', expected those of"),
        (lambda run: alter_predictions(run, change_label), "label of "),
        (lambda run: (run / "predictions.parquet").unlink(), "no such file"),
        (
            lambda run: write_json(
                run / "run.json", read_json(run / "run.json") | {"study": "other"}
            ),
            "study: found 'other', expected tiny",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(results, capsys, spoil, message):
    spoil(results[1] / "runs/amb/seed11")
    assert main(["compare-runs", *map(str, results)]) == 2
    assert message in capsys.readouterr().err


def test_folders_without_runs_or_without_a_run_in_common_are_refused(results, tmp_path, capsys):
    a, b = map(str, results)
    assert main(["compare-runs", a, str(tmp_path / "gone")]) == 2
    assert "gone: folder: found 'no such folder'" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["compare-runs", str(tmp_path / "empty"), b]) == 2
    assert "empty: runs: found 'none', expected <method>/seed<seed>" in capsys.readouterr().err
    assert main(["compare-runs", f"{a}/runs/amb/seed11", f"{b}/runs/amb/seed12"]) == 2
    assert "method, seed: found 'amb 12', expected one of amb 11" in capsys.readouterr().err
    assert main(["compare-runs", a, b, "--output", "out.txt"]) == 2
    assert "suffix: found '.txt', expected .json or .csv" in capsys.readouterr().err


def test_it_needs_no_torch(results):
    code = (
        "import sys; from amb.cli import main; main(['compare-runs', *sys.argv[1:]]);"
        "print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, *map(str, results)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_real_runs_repeat_their_bits_and_other_weights_do_not(tiny, tmp_path):
    inputs = ["--study", str(tiny.file), "--store", str(tiny.store)]
    inputs += ["--backbone", str(tiny.backbone), "--method", "finetuned_late", "--gpus", "0"]
    for side in ("a", "b"):
        runs = ["--seeds", "1111", "1112", "--runs", str(tmp_path / side)]
        assert main(["train", *inputs, *runs]) == 0
        assert main(["evaluate", *inputs, *runs]) == 0
    agreement = compare_results(tmp_path / "a", tmp_path / "b")
    assert [run.identical for run in agreement.runs] == [True, True]
    assert not any(run.identities or run.environment for run in agreement.runs)

    # The run of another seed in its place: every weight is another.
    swapped = tmp_path / "b/finetuned_late/seed1111/predictions.parquet"
    other = pd.read_parquet(tmp_path / "b/finetuned_late/seed1112/predictions.parquet")
    write_predictions(swapped, other.assign(seed=1111), {})
    first, second = compare_results(tmp_path / "a", tmp_path / "b").runs
    assert (first.identical, second.identical) == (False, True)
    assert first.largest > 1e-4

"""``amb score``, ``amb test`` and ``amb claims`` on a folder of runs."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from amb.cli import claims, score, test
from amb.errors import InputError
from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import sha256_of, write_json
from amb.registration import record_evaluation

ROOT = Path(__file__).parents[2]
STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods: {amb: {}, finetuned_fusion: {seeds: 2}}
seeds: {first: 11, count: 3}
training: {max_epochs: 1}
statistics: {reference: finetuned_fusion, metrics: [mae, acc7]}
"""


@pytest.fixture
def folder(tmp_path, simulate):
    (tmp_path / "tiny.yaml").write_text(STUDY)
    predictions = simulate({"amb": (11, 3, 0.5), "finetuned_fusion": (11, 2, 1.2)})
    trainable = {"amb": 50, "finetuned_fusion": 800}
    for (method, seed), rows in predictions.groupby(["method", "seed"]):
        run = run_folder(tmp_path / "runs", method, seed)
        record = {"parameters": {"total": 1000, "trainable": trainable[method]}}
        write_json(run / "run.json", {**record, "identity_sha256": f"{method}{seed}"})
        record_evaluation(run, ROOT / "config" / "claims.yaml")
        write_predictions(run / "predictions.parquet", rows, {})
    return tmp_path


def run(command, folder, out, **more):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    arguments = ["--runs", folder / "runs", "--study", folder / "tiny.yaml"]
    for name, value in more.items():
        arguments += [f"--{name}", value]
    for option, name in out.items():
        arguments += [option, folder / name]
    command.run(parser.parse_args([str(argument) for argument in arguments]))
    return [folder / name for name in out.values()]


OUTPUTS = (
    (score, {"--out-scores": "scores.csv", "--out-summary": "summary.csv"}, {}),
    (test, {"--out": "comparison.csv"}, {}),
    (claims, {"--out-json": "claims.json"}, {"claims": ROOT / "config" / "claims.yaml"}),
)


def test_all_three_write_what_they_promise(folder):
    for command, out, more in OUTPUTS:
        assert all(path.is_file() for path in run(command, folder, out, **more))
    scores = pd.read_csv(folder / "scores.csv")
    assert len(scores) == 5 * 2 * 8
    summary = pd.read_csv(folder / "summary.csv")
    assert set(summary["n_videos"]) == {8}
    comparison = pd.read_csv(folder / "comparison.csv")
    assert comparison["significant"].dtype == bool
    assert len(comparison) == 2 * 2
    verdicts = json.loads((folder / "claims.json").read_text())
    assert verdicts["claims_sha256"] == sha256_of(ROOT / "config" / "claims.yaml")
    by_id = {claim["id"]: claim for claim in verdicts["claims"]}
    assert by_id["amb-parameter-efficient"]["counts"]["ratio"] == 0.0625
    assert by_id["amb-parameter-efficient"]["verdict"] == "reproduced"
    ordering = by_id["amb-beats-finetuned-mae"]
    assert ordering["scopes"]["fixed_set"]["estimate"] > 0
    assert ordering["runs"][0] == {"folder": "runs/amb/seed11", "identity_sha256": "amb11"}
    assert verdicts["published_sha256"] == sha256_of(ROOT / "config" / "published.csv")
    assert verdicts["registration"]["edited_after_evaluation"] is False
    assert by_id["amb-trains-fast"]["reason"].startswith("not tested: this study does not time")
    assert by_id["amb-reaches-implied-mae"]["reason"] == (
        "not tested: the claim is about mosei, this study's data are of no known data set"
    )


def test_a_claim_about_a_number_that_nobody_is_quoted_with_is_refused(folder):
    text = (ROOT / "config" / "claims.yaml").read_text().replace("MMIM (paper)}", "Nobody}")
    (folder / "claims.yaml").write_text(text)
    shutil.copy(ROOT / "config" / "published.csv", folder)
    with pytest.raises(InputError, match=r"published.model: found 'Nobody', .*MMIM \(paper\)"):
        run(claims, folder, {"--out-json": "claims.json"}, claims=folder / "claims.yaml")


def test_an_edit_after_evaluation_stands_in_the_verdicts(folder):
    file = folder / "claims.yaml"
    file.write_text((ROOT / "config" / "claims.yaml").read_text().replace("0.25", "0.5"))
    shutil.copy(ROOT / "config" / "published.csv", folder)
    (out,) = run(claims, folder, {"--out-json": "claims.json"}, claims=file)
    found = json.loads(out.read_text())["registration"]
    assert found["edited"] == ["amb-parameter-efficient"]


def test_a_second_run_writes_the_same_bytes_whatever_the_order_of_rows(folder, tmp_path):
    first = {}
    for command, out, more in OUTPUTS:
        first |= {path: path.read_bytes() for path in run(command, folder, out, **more)}
    for path in (folder / "runs").glob("*/*/predictions.parquet"):
        rows = pd.read_parquet(path)
        write_predictions(path, rows.sample(frac=1, random_state=3), {})
    for command, out, more in OUTPUTS:
        for path in run(command, folder, out, **more):
            assert path.read_bytes() == first[path], path.name


def test_numbers_are_stored_without_rounding(folder):
    run(*OUTPUTS[0][:1], folder, OUTPUTS[0][1])
    found = pd.read_csv(folder / "scores.csv", dtype={"value": str})
    rows = pd.read_parquet(folder / "runs" / "amb" / "seed12" / "predictions.parquet")
    rows = rows[rows["split"] == "test"].sort_values(["video", "utterance"])
    gap = rows["prediction"].to_numpy("float64") - rows["label"].to_numpy("float64")
    value = found.query("method == 'amb' and seed == 12 and split == 'test' and metric == 'mae'")
    assert float(value["value"].item()) == abs(gap).mean()


@pytest.mark.parametrize(("command", "out", "more"), OUTPUTS)
def test_a_missing_run_is_named_and_nothing_is_written(folder, command, out, more):
    shutil.rmtree(folder / "runs" / "finetuned_fusion" / "seed12")
    with pytest.raises(InputError, match=r"finetuned_fusion.seed12.predictions.parquet"):
        run(command, folder, out, **more)
    assert not any((folder / name).exists() for name in out.values())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"parameters": {"total": 1000, "trainable": 51}}, "seed13.run.json: parameters: .*51"),
        ({"parameters": {"total": 1000}}, "'trainable'.*expected total and trainable"),
        ({"parameters": {"total": 10, "trainable": 50}}, "0 < trainable ≤ total"),
        ({"parameters": {"total": 1000, "trainable": 50.0}}, "whole numbers"),
    ],
)
def test_parameter_counts_must_be_there_and_agree_across_seeds(folder, record, message):
    write_json(folder / "runs" / "amb" / "seed13" / "run.json", record)
    with pytest.raises(InputError, match=message):
        run(*OUTPUTS[2][:1], folder, OUTPUTS[2][1], **OUTPUTS[2][2])


def test_the_analysis_imports_no_torch():
    modules = [f"amb.cli.{name}" for name in ("score", "test", "claims")]
    modules += [
        f"amb.statistics.{path.stem}" for path in (ROOT / "amb/statistics").glob("[!_]*.py")
    ]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

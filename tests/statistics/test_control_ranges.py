"""The known ranges of control rows: honest predictions pass, planted faults are found."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from amb.cli import main
from amb.evaluation.predictions import run_folder, write_predictions
from amb.statistics.control_ranges import majority_class
from amb.statistics.controls import check_controls
from amb.study import load_study

SEEDS = range(11, 16)
STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods:
  amb: {label: AMB}
  small: {builder: amb, options: {bottleneck: 8}}
  label_oracle: {label: Oracle}
  mean_predictor: {}
  majority_class: {}
  audio: {builder: amb, control: shuffled_audio}
  text: {builder: amb, control: shuffled_text}
  permuted: {builder: amb, control: permuted_labels}
  lonely: {builder: amb, control: shuffled_visual, options: {bottleneck: 16}}
seeds: {first: 11, count: 5}
training: {max_epochs: 1}
statistics: {reference: amb}
"""
SIZES = {"train": 300, "valid": 60, "test": 200}


def items():
    """Labelled utterances of all splits, ten a video, about as spread as the field's labels."""
    rng = np.random.default_rng(5)
    frames = []
    for split, size in SIZES.items():
        label = np.clip(np.round(rng.normal(0.2, 1.5, size) * 5) / 5, -3, 3).astype(np.float32)
        ids = [f"{split}{row // 10:02d}[{row}]" for row in range(size)]
        videos = [name.split("[")[0] for name in ids]
        frames.append(
            pd.DataFrame({"split": split, "utterance": ids, "video": videos, "label": label})
        )
    return pd.concat(frames, ignore_index=True)


def honest():
    """What every row of the study predicts if nothing is wrong, by row."""
    data = items()
    label = data["label"].to_numpy()
    train = label[data["split"] == "train"]
    noise = {name: np.random.default_rng([7, place]) for place, name in enumerate(METHODS)}

    def method(name, share, spread):
        return lambda: (
            share * label
            + np.median(train)
            + noise[name].normal(0, spread, label.size)
            + noise[name].normal(0, 0.02)
        )

    known = {
        "label_oracle": lambda: label,
        "mean_predictor": lambda: np.full(label.size, train.mean(dtype=np.float64)),
        "majority_class": lambda: np.full(label.size, majority_class(train)),
    }
    learnt = {
        "amb": method("amb", 0.8, 0.5),
        "small": method("small", 0.8, 0.5),
        "audio": method("audio", 0.75, 0.55),
        "text": method("text", 0.1, 0.3),
        "permuted": method("permuted", 0.0, 0.2),
        "lonely": method("lonely", 0.8, 0.5),
    }
    return data, {**known, **learnt}


METHODS = ("amb", "small", "audio", "text", "permuted", "lonely")


@pytest.fixture(scope="module")
def frames():
    """One frame a run, by row and seed."""
    data, predict = honest()
    return {
        (name, seed): data.assign(method=name, seed=seed, corruption="none", prediction=make())
        for name, make in predict.items()
        for seed in SEEDS
    }


@pytest.fixture
def study(tmp_path):
    (tmp_path / "tiny.yaml").write_text(STUDY)
    return load_study(tmp_path / "tiny.yaml")


def checked(frames, study, **replaced):
    """Check with the predictions of some rows replaced: ``name=(seed, frame -> predictions)``."""
    changed = dict(frames)
    for name, (seeds, function) in replaced.items():
        for seed in seeds:
            frame = frames[name, seed]
            changed[name, seed] = frame.assign(prediction=function(frame))
    predictions = pd.concat(changed.values(), ignore_index=True)
    return {c["row"]: c for c in check_controls(predictions, study)["controls"]}


def outside(control):
    return {check["quantity"]: check["outside"] for check in control["checks"] if check["outside"]}


def test_honest_predictions_are_in_range(frames, study):
    found = checked(frames, study)
    assert list(found) == [row.name for row in study.control_rows()]
    assert {name: outside(control) for name, control in found.items()} == {
        name: {} for name in found
    }
    assert all(control["in_range"] for control in found.values())


def test_the_intact_row_differs_by_the_control_only(frames, study):
    found = checked(frames, study)
    assert found["audio"]["intact"] == found["text"]["intact"] == "amb"
    assert found["permuted"]["intact"] is None
    assert found["lonely"]["intact"] is None
    assert "no intact row" in found["lonely"]["note"]
    assert found["lonely"]["checks"] == []
    assert found["lonely"]["in_range"]


def test_what_a_shuffled_row_loses_is_reported_in_both_scopes(frames, study):
    lost = checked(frames, study)["text"]["lost"]
    for scope in ("fixed_set", "population"):
        assert lost[scope]["ci_low"] < lost[scope]["estimate"] < lost[scope]["ci_high"]
        assert lost[scope]["estimate"] > 0.2


def test_a_leak_is_found_in_the_run_that_has_it(frames, study):
    leaky = checked(frames, study, permuted=([13], lambda f: 0.15 * f["label"] + 0.2))
    assert outside(leaky["permuted"]) == {"MAE, test": ["13"]}
    assert not leaky["permuted"]["in_range"]


def test_an_oracle_that_is_wrong_once_is_found(frames, study):
    def swap(frame):
        first_test = frame["split"].eq("test").idxmax()
        return frame["label"].where(frame.index != first_test, 0.1)

    wrong = outside(checked(frames, study, label_oracle=([12], swap))["label_oracle"])
    assert wrong["MAE, test"] == ["12"]
    assert "Acc-7, test" in wrong
    assert "MAE, train" not in wrong


@pytest.mark.parametrize("name", ["mean_predictor", "majority_class"])
def test_a_constant_that_is_another_or_none_is_found(frames, study, name):
    moved = checked(frames, study, **{name: (SEEDS, lambda f: f["prediction"] + 1e-3)})
    assert {"Prediction", "MAE, valid", "MAE, test"} <= set(outside(moved[name]))
    tilted = checked(frames, study, **{name: ([11], lambda f: f["prediction"] + f["label"] * 1e-9)})
    assert outside(tilted[name]) == {"Spread of predictions": ["11"]}


@pytest.mark.parametrize("name", ["audio", "text"])
def test_a_shuffled_row_that_is_better_than_the_intact_one_is_found(frames, study, name):
    better = checked(frames, study, **{name: (SEEDS, lambda f: 0.9 * f["label"] + f.index * 1e-4)})
    assert outside(better[name])["p of “not better than intact”"] == ["all"]


def test_a_row_that_loses_nothing_without_its_words_is_found(frames, study):
    same = checked(
        frames, study, text=(SEEDS, lambda f: frames["amb", f["seed"].iloc[0]]["prediction"])
    )
    assert outside(same["text"]) == {"p of “not worse than intact”": ["all"]}


def test_a_row_that_never_read_words_has_nothing_to_lose(frames, study):
    chance = checked(
        frames, study,
        amb=(SEEDS, lambda f: frames["permuted", f["seed"].iloc[0]]["prediction"]),
        text=(SEEDS, lambda f: frames["permuted", 11 + 15 - f["seed"].iloc[0]]["prediction"]),
    )  # fmt: skip
    quantities = [check["quantity"] for check in chance["text"]["checks"]]
    assert quantities == ["p of “not better than intact”"]
    assert chance["text"]["in_range"]


def test_one_seed_cannot_be_compared_and_says_so(frames, tmp_path):
    (tmp_path / "tiny.yaml").write_text(STUDY.replace("count: 5", "count: 1"))
    study = load_study(tmp_path / "tiny.yaml")
    found = checked({key: f for key, f in frames.items() if key[1] == 11}, study)
    assert "one seed" in found["audio"]["note"]
    assert found["audio"]["lost"]["fixed_set"]["ci_low"] is None
    assert all(control["in_range"] for control in found.values())


@pytest.mark.parametrize(
    ("labels", "expected"), [([2, 2, -1, -1], -1), ([2, -2, 3], -2), ([0.5, 1.5, 2.5], 2), ([9], 3)]
)
def test_the_majority_is_that_of_the_baseline(labels, expected):
    assert majority_class(np.array(labels, dtype=float)) == expected


@pytest.fixture
def command(frames, study, tmp_path):
    for (name, seed), frame in frames.items():
        write_predictions(
            run_folder(tmp_path / "runs", name, seed) / "predictions.parquet", frame, {}
        )
    files = ["--study", str(study.file), "--runs", str(tmp_path / "runs")]
    out = ["--out-json", str(tmp_path / "controls.json"), "--out-dir", str(tmp_path / "tables")]
    return ["controls", *files, *out]


def test_the_command_writes_its_tables_and_succeeds(command, tmp_path, capsys):
    assert main(command) == 0
    assert "7 control rows, none out of range" in capsys.readouterr().out
    text = (tmp_path / "tables" / "controls.md").read_text()
    assert "7 of 7 control rows in range" in text
    assert "| Oracle | label oracle | MAE, train | 0 | exactly 0 | in range |" in text
    assert "MAE lost to AMB, this test set" in text
    assert "no intact row" in text
    table = pd.read_csv(tmp_path / "tables" / "controls.csv")
    assert set(table["row"]) == {
        "label_oracle", "mean_predictor", "majority_class", "audio", "text", "permuted",
    }  # fmt: skip
    assert table["in_range"].dropna().all()


def test_a_leak_fails_the_command_after_the_tables_are_written(command, frames, tmp_path, capsys):
    for seed in (12, 14):
        leaky = frames["permuted", seed]
        leaky = leaky.assign(prediction=0.5 * leaky["label"])
        write_predictions(
            run_folder(tmp_path / "runs", "permuted", seed) / "predictions.parquet", leaky, {}
        )
    assert main(command) == 2
    message = capsys.readouterr().err
    assert "control permuted, seed 12, MAE, test: found '0.6" in message
    assert "expected at least 1." in message
    assert "permuted, seed 14, MAE, test: found 0.6" in message
    text = (tmp_path / "tables" / "controls.md").read_text()
    assert "6 of 7 control rows in range" in text
    assert "OUT OF RANGE: seed 12, seed 14" in text
    written = json.loads((tmp_path / "controls.json").read_text())
    assert [c["row"] for c in written["controls"] if not c["in_range"]] == ["permuted"]

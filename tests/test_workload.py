from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from amb.data.contract import KNOWN_SIZES
from amb.study import load_study
from amb.workload import UTTERANCES, Workload, corruption_passes, workload_of

MINILM = 12 * 6 * 384**2


def test_data_sets_are_as_large_as_their_largest_release():
    assert {name: max(map(sum, sizes)) for name, sizes in KNOWN_SIZES.items()} == UTTERANCES


def test_generated_data_are_counted_and_known_data_looked_up():
    assert workload_of(load_study("config/demo.yaml")).utterances == 82 * 10
    assert workload_of(load_study("config/mosi_sdk.yaml")).utterances == 2199
    assert workload_of(load_study("config/ict_mmmo.yaml")).utterances == 22856


def test_the_backbones_size_is_that_of_the_layers_kept(tmp_path, random_bert):
    study = load_study("config/demo.yaml")

    def encoder(name, layers=None):
        backbone = replace(study.backbone, name=str(name), layers=layers)
        return workload_of(replace(study, backbone=backbone)).encoder_weights

    assert encoder("minilm") == MINILM
    assert encoder("minilm", 2) == MINILM / 3
    assert encoder(random_bert) == 12 * 2 * 32**2
    assert encoder("somebody/some-bert") == 12 * 12 * 768**2
    (tmp_path / "config.json").write_text("{")
    assert encoder(tmp_path) == 12 * 12 * 768**2


def test_processes_share_predictions_only_where_these_outlast_their_start():
    demo, mosei = (workload_of(load_study(f"config/{name}.yaml")) for name in ("demo", "mosei"))
    assert demo.prediction_processes(6) == 1
    assert mosei.prediction_processes(6) == 6
    assert mosei.prediction_processes(1) == 1


def test_time_grows_with_epochs_utterances_and_what_runs_in_turn():
    load = Workload(utterances=6000, encoder_weights=0, weights=0)
    # 6000 utterances at 0.02 s and a margin of 2 are 4 minutes an epoch; 10 are for the start.
    assert load.minutes(epochs=5, seeds=1, workers=1, gpus=0) == 30
    assert load.minutes(epochs=5, seeds=10, workers=10, gpus=0) == 30
    assert load.minutes(epochs=5, seeds=10, workers=4, gpus=0) == 70
    assert load.minutes(epochs=5, seeds=10, workers=1, gpus=1) == 12
    assert replace(load, utterances=12000).minutes(5, 1, 1, 0) == 50


def test_memory_grows_with_processes_and_weights():
    load = Workload(utterances=1000, encoder_weights=0, weights=100_000_000)
    # 3000 of the job, 110 of features, 600 + 3600 of each process.
    assert load.memory_mb(1) == 7310
    assert load.memory_mb(3) == 15710


def test_known_runs_would_have_had_enough():
    """MISA on CMU-MOSI took 25 minutes for a seed on a busy core, at most 12 of 40 epochs."""
    mosi = workload_of(load_study("config/mosi_sdk.yaml"))
    assert mosi.minutes(epochs=12, seeds=1, workers=1, gpus=0) > 25


@pytest.mark.parametrize("draws", [1, 3])
def test_passes_of_corruption_are_points_times_draws(tmp_path, draws):
    content = yaml.safe_load(Path("config/demo_robustness.yaml").read_text())
    content["corruption"] = {
        "draws": draws,
        "grid": [
            {"kind": "gaussian", "targets": ["audio", "visual"], "levels": [1, 2, 3]},
            {"kind": "token_mask", "targets": ["text"], "levels": [0.5]},
        ],
    }
    content["statistics"].pop("claims", None)
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content))
    assert corruption_passes(load_study(file)) == 7 * draws
    assert corruption_passes(load_study("config/demo.yaml")) == 0

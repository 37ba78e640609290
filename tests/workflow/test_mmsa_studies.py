"""The studies of MMSA's releases: they load, plan with the pickle in place, and know its hash."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from amb.cli import main
from amb.data.releases import known_release
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]
STUDIES = {"mosei": "MMSA, MOSEI aligned_50.pkl", "mosi": "MMSA, MOSI aligned_50.pkl"}


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    """Pickles in MMSA's layout at the studies' places."""
    rng = np.random.default_rng(7)
    content = {
        split: {
            "raw_text": ["what a film", "no"],
            "id": [f"{split}$_$0", f"{split}$_$1"],
            "regression_labels": np.array([1.5, -2.0]),
            "audio": rng.random((2, 6, 74)).astype(np.float32) + 1,
            "vision": rng.random((2, 6, 35)).astype(np.float32) + 1,
        }
        for split in ("train", "valid", "test")
    }
    for name in STUDIES:
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "aligned_50.pkl").write_bytes(pickle.dumps(content))
    monkeypatch.setenv("AMB_DATA_ROOT", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("name", STUDIES)
def test_it_names_the_release_that_it_is_made_for(name):
    study = load_study(ROOT / "config" / f"{name}.yaml")
    assert known_release(study.data["mmsa"]["sha256"]) == STUDIES[name]
    assert study.dataset() == name
    assert study.backbone.name == "bert-base-uncased"


@pytest.mark.workflow
def test_it_plans_from_the_pickle_to_the_page(data_root, plan, tmp_path):
    name = "mosei"  # of both, the plan without the pickle has a test in test_workflow.py
    study = ROOT / "config" / f"{name}.yaml"
    planned = plan(tmp_path, study)
    assert f"{name}/aligned_50.pkl" in planned["prepare_data"]
    rows = load_study(study).methods
    assert {f"train_{row}_0" for row in rows} <= set(planned)
    assert {"judge_claims", "check_controls"} <= set(planned)


def test_another_file_is_refused_with_both_hashes(data_root, tmp_path, capsys):
    study = ROOT / "config" / "mosi.yaml"
    store = tmp_path / "store"
    assert main(["data", "prepare", "--study", str(study), "--out", str(store)]) == 2
    message = capsys.readouterr().err
    assert "aligned_50.pkl: SHA-256 (data.mmsa.sha256 of the study): found" in message
    assert "expected d3994fd2" in message
    assert "MMSA, MOSI aligned_50.pkl" in message
    assert not store.exists()


def test_without_the_line_any_file_of_the_layout_is_taken(data_root, tmp_path):
    text = (ROOT / "config" / "mosi.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "sha256:" not in line]
    study = tmp_path / "mine.yaml"
    study.write_text("\n".join(lines).replace("dataset: mosi", "dataset: other"))
    store = tmp_path / "store"
    assert main(["data", "prepare", "--study", str(study), "--out", str(store)]) == 0
    assert (store / "card.json").is_file()

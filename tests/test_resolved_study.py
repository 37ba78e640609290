"""A resolved study says everything: it is read back as the study that it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from amb.errors import InputError
from amb.files import read_json, write_json
from amb.resolved_study import copy_config, restore_study, write_resolved_study
from amb.study import digest, load_study

CONFIG = Path(__file__).resolve().parent.parent / "config"
STUDIES = sorted(file for file in CONFIG.glob("*.yaml") if not file.name.startswith("claims"))
TUNING = {
    "trials": 3,
    "seed": 7,
    "space": {
        "learning_rate": {"low": 1.0e-4, "high": 1.0e-2, "log": True},
        "backbone_learning_rate": {"low": 1.0e-5, "high": 1.0e-3},
        "batch_size": {"choices": [6, 12]},
    },
    "methods": {
        "amb": {
            "backbone_learning_rate": {"instead": "options.head_dropout", "low": 0.0, "high": 0.5}
        }
    },
}


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_study_is_restored_from_its_resolved_form_with_rows_in_order(tmp_path, file):
    study = load_study(file)
    write_resolved_study(study, tmp_path / "study.json")
    restored = restore_study(tmp_path / "study.json", tmp_path / "config" / "study.yaml")
    assert restored.resolved() == study.resolved()
    assert list(restored.methods) == list(study.methods)
    assert restored.methods == study.methods


def test_a_study_that_tunes_is_restored(tmp_path):
    content = yaml.safe_load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump({**content, "tuning": TUNING}, sort_keys=False))
    study = load_study(file)
    write_resolved_study(study, tmp_path / "study.json")
    restored = restore_study(tmp_path / "study.json", tmp_path / "config" / "study.yaml")
    assert restored.tuning == study.tuning


def test_a_changed_value_does_not_have_the_hash_that_is_stated(tmp_path):
    write_resolved_study(load_study(CONFIG / "demo.yaml"), tmp_path / "study.json")
    content = read_json(tmp_path / "study.json")
    content["statistics"]["alpha"] = 0.1
    write_json(tmp_path / "study.json", content)
    with pytest.raises(InputError, match=r"sha256: found '\w{64}', expected \w{64}, that of its"):
        restore_study(tmp_path / "study.json", tmp_path / "study.yaml")


def test_what_another_version_resolved_otherwise_is_named(tmp_path):
    write_resolved_study(load_study(CONFIG / "demo.yaml"), tmp_path / "study.json")
    content = read_json(tmp_path / "study.json")
    del content["sha256"], content["statistics"]["speed"]
    write_json(tmp_path / "study.json", {**content, "sha256": digest(content)})
    with pytest.raises(InputError, match=r"statistics\.speed: found 'a value that this version"):
        restore_study(tmp_path / "study.json", tmp_path / "study.yaml")


def test_the_study_its_claims_and_what_they_quote_are_copied_as_they_are(tmp_path):
    copy_config(load_study(CONFIG / "known_additive.yaml"), tmp_path)
    copies = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert copies == {
        "study.yaml": (CONFIG / "known_additive.yaml").read_bytes(),
        "claims_known_additive.yaml": (CONFIG / "claims_known_additive.yaml").read_bytes(),
        "published.csv": (CONFIG / "published.csv").read_bytes(),
    }


def test_a_study_whose_claims_are_missing_is_not_copied(tmp_path):
    file = tmp_path / "demo.yaml"
    file.write_bytes((CONFIG / "demo.yaml").read_bytes())
    with pytest.raises(InputError, match=r"statistics\.claims: found .*claims\.yaml"):
        copy_config(load_study(file), tmp_path / "copy")

"""Every row of the shipped studies passes its trial on the real data, with a random BERT."""

from __future__ import annotations

import pytest
import yaml

from amb.cli import main
from amb.files import read_json


@pytest.mark.parametrize("name", ["mosi_sdk", "mosi_misa_dev", "ict_mmmo"])
def test_the_trial_of_a_shipped_study_refuses_no_row(
    name, real_data, random_bert, tmp_path, monkeypatch, request
):
    monkeypatch.setenv("AMB_DATA_ROOT", str(real_data))
    config = request.config.rootpath / "config"
    content = yaml.safe_load((config / f"{name}.yaml").read_text(encoding="utf-8"))
    content["backbone"] = {**content["backbone"], "name": str(random_bert)}
    content["backbone"].pop("layers", None)
    content["statistics"]["claims"] = str(config / content["statistics"]["claims"])
    study, out = tmp_path / "study.yaml", tmp_path / "methods.json"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    store, backbone = tmp_path / "store", tmp_path / "backbone"
    assert main(["data", "prepare", "--study", str(study), "--out", str(store)]) == 0
    assert main(["backbone", "--study", str(study), "--out", str(backbone)]) == 0
    inputs = ["--study", str(study), "--store", str(store), "--backbone", str(backbone)]
    assert main(["check", *inputs, "--out", str(out)]) == 0
    assert set(read_json(out)) == set(content["methods"])

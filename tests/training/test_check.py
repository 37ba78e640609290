"""What ``amb check`` finds out about a method before it is trained."""

from __future__ import annotations

import pytest
import yaml

from amb.training.check import check_method
from amb.training.job import Job

ROWS = {
    "amb": (["text", "audio", "visual"], {}),
    "finetuned_text": (["text"], {}),
    "unimodal": (["visual"], {"options": {"modality": "visual"}}),
    "late_fusion": (["audio", "visual"], {"options": {"text": "none"}}),
    "mean_predictor": ([], {}),
    "mult": (["text", "audio", "visual"], {}),
}


@pytest.mark.parametrize("method", ROWS)
def test_check_says_which_modalities_a_model_reads(tiny, tmp_path, method):
    expected, row = ROWS[method]
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {**content["methods"], method: row}
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content))
    found = check_method(Job(file, tiny.store, tiny.backbone, method, tmp_path, "cpu"))
    assert found["reads"] == expected
    assert 0 < found["trainable"] <= found["total"]

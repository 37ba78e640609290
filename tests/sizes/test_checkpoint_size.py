"""Sizes of checkpoints against files that are really written."""

from __future__ import annotations

import pytest
import torch

from amb.model.method import FeatureShape, find_builder
from amb.presets import load_presets
from amb.sizes.checkpoint_file import checkpoint_bytes, specimen_identity
from amb.sizes.rows import presets_to_measure
from amb.sizes.settings import BackboneSize
from amb.sizes.weightless import WeightlessBackbone
from amb.training.checkpoint import save_checkpoint
from amb.training.job import Job
from amb.training.run import identify, open_context
from amb.training.seen_embedding import train_seen_rows_only

FEATURES = FeatureShape({"audio": 5, "visual": 3}, {"audio": True, "visual": True}, True, 7)
SMALL = BackboneSize("small", 32, 6, 4, 64, vocabulary=90)
ROWS = presets_to_measure(load_presets())


def build(row):
    preset = ROWS[row]
    return find_builder(preset.builder)(preset.options, WeightlessBackbone.of(SMALL), FEATURES)


@pytest.mark.parametrize("row", ROWS)
def test_the_size_is_that_of_the_file_to_the_byte(row, tmp_path):
    model, identity = build(row), specimen_identity(row)
    file = tmp_path / "checkpoint.safetensors"
    save_checkpoint(file, model.learned_state(), {}, identity)
    with torch.device("meta"):
        state = build(row).learned_state()
    assert checkpoint_bytes(state, identity) == file.stat().st_size


@pytest.mark.parametrize("study", ["a", "abcdefgh", "größer", 'with "quotes"'])
def test_the_size_follows_the_names_in_the_header(study, tmp_path):
    identity = {**specimen_identity("amb"), "study": study}
    state = {"b": torch.zeros(3), "a": torch.zeros(2, 5), "n": torch.tensor(1)}
    file = tmp_path / "checkpoint.safetensors"
    save_checkpoint(file, state, {}, identity)
    assert checkpoint_bytes(state, identity) == file.stat().st_size


def test_a_fine_tuned_checkpoint_is_smaller_by_the_embedding_rows_that_nobody_read(tmp_path):
    model, identity = build("finetuned_text"), specimen_identity("finetuned_text")
    whole = checkpoint_bytes(model.learned_state(), identity)
    ids = train_seen_rows_only(model, torch.tensor([3, 5, 5, 8]))
    file = tmp_path / "checkpoint.safetensors"
    save_checkpoint(file, model.learned_state(), ids, identity)
    D = SMALL.hidden_size
    names_and_offsets = 200
    expected = whole - 4 * SMALL.word_embeddings + 3 * (4 * D + 8)
    assert abs(file.stat().st_size - expected) < names_and_offsets


def test_the_specimen_says_of_a_run_what_a_real_one_does(tiny):
    open_context.cache_clear()
    job = Job(tiny.file, tiny.store, tiny.backbone, "amb", tiny.store, "cpu")
    real, specimen = identify(job, 1111), specimen_identity("amb")
    assert real.keys() == specimen.keys()
    digests = {key for key in real if key.endswith("sha256")}
    assert {key: len(real[key]) for key in digests} == {key: len(specimen[key]) for key in digests}

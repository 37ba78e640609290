"""Norms of what fusion layers add: the parts, the layers, and the labels that they never see."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from amb.cli import main
from amb.data.batches import SplitData
from amb.evaluation.fusion_norms import fusion_norms, measure_seed
from amb.model.amb import build
from amb.training.job import Job
from amb.training.run import open_context, run_seed


@pytest.fixture
def job(tiny, tmp_path):
    return Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path / "runs", "cpu")


def built(job, **options):
    """A model whose fusion layers add something, with the validation split."""
    context = open_context(job)
    model = build(options, context.backbone, context.features)
    torch.manual_seed(0)
    for layer in model.fusion.values():
        torch.nn.init.normal_(layer.up_proj.weight, std=0.1)
    return model, context.splits["valid"]


def part(norms, layer, name, column="added"):
    return norms[(norms["layer"] == layer) & (norms["part"] == name)][column].item()


def test_whole_is_the_mean_norm_of_what_a_layer_adds(job):
    model, data = built(job, fusion_layers=[2])
    seen = []
    model.fusion["1"].register_forward_hook(lambda _, inputs, out: seen.append((inputs[0], out)))
    norms = fusion_norms(model, data)
    hidden, added = (torch.cat(own) for own in zip(*seen, strict=True))
    assert sorted(set(norms["layer"])) == [2]
    assert part(norms, 2, "whole") == pytest.approx(added.norm(dim=-1).mean().item(), rel=1e-5)
    ratio = (added.norm(dim=-1) / hidden.norm(dim=-1)).mean().item()
    assert part(norms, 2, "whole", "ratio") == pytest.approx(ratio, rel=1e-5)
    assert part(norms, 2, "whole", "pieces") == len(added)


def test_a_modality_that_the_mix_does_not_read_changes_nothing(job):
    model, data = built(job)
    for layer in model.fusion.values():
        layer.mix.down_proj.weight.data[:, -100:] = 0  # the last block of the input: visual
    norms = fusion_norms(model, data)
    assert part(norms, 1, "visual") == 0
    assert part(norms, 1, "audio") > 0


def test_without_audio_and_visual_all_that_is_added_is_the_text_part(job):
    model, data = built(job)
    for layer in model.fusion.values():
        layer.mix.down_proj.weight.data[:, -200:] = 0
    norms = fusion_norms(model, data)
    for layer in (1, 2):
        assert part(norms, layer, "text") == pytest.approx(part(norms, layer, "whole"))


def test_only_cls_counts_where_only_cls_gains(job):
    model, data = built(job, fusion="cls")
    assert set(fusion_norms(model, data)["pieces"]) == {len(data)}


def test_a_model_without_fusion_layers_has_no_rows_and_the_command_says_so(job, tiny, capsys):
    model, data = built(job, fusion="late")
    assert fusion_norms(model, data).empty
    late = Job(tiny.file, tiny.store, tiny.backbone, "finetuned_late", job.runs, "cpu")
    run_seed(late, 1111, lambda _: None)
    files = ["--study", tiny.file, "--store", tiny.store, "--backbone", tiny.backbone]
    chosen = ["--runs", job.runs, "--method", "finetuned_late", "--seeds", 1111, "--gpus", 0]
    assert main(["fusion-norms", *map(str, [*files, *chosen])]) == 2
    assert "expected a row with fusion layers" in capsys.readouterr().err


def test_a_run_is_measured_on_the_validation_split_alone(job, monkeypatch):
    run_seed(job, 1111, lambda _: None)
    seen = set()
    make_batch = SplitData.batch

    def spy(self, rows, seeds=1):
        seen.add(tuple(self.utterances))
        return make_batch(self, rows, seeds)

    monkeypatch.setattr(SplitData, "batch", spy)
    assert measure_seed(job, 1111) == "2 fusion layers measured"
    assert seen == {tuple(open_context(job).splits["valid"].utterances)}
    frame = pd.read_csv(job.folder(1111) / "fusion_norms.csv")
    assert list(frame["part"]) == ["whole", "text", "audio", "visual"] * 2
    assert (frame[["added", "hidden", "ratio"]] > 0).all().all()

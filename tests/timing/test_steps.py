"""Timed steps are the training loop's, and ``amb speed`` writes what the claims read."""

from dataclasses import replace

import pytest
import torch
import yaml

from amb.cli import main
from amb.files import read_json
from amb.model.precision import use_matmul_precision
from amb.statistics.speed import read_timings
from amb.timing.steps import TimedRow
from amb.training.job import Job
from amb.training.loop import train
from amb.training.run import build_model, open_context
from amb.training.seen_embedding import train_seen_rows_only

SEED = 1111


@pytest.fixture
def job(tiny, tmp_path):
    return Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path, "cpu")


def test_the_steps_of_one_epoch_are_those_of_the_training_loop(job):
    context = open_context(job)
    data, settings = context.splits["train"], context.study.methods["amb"].training
    reference = build_model(job, SEED)
    one_epoch = replace(settings, max_epochs=1)
    fit_settings = context.splits["train"], context.splits["valid"], one_epoch
    train_seen_rows_only(reference, data.token_ids.own_values())
    train(reference, *fit_settings, SEED, lambda epoch: None)

    row = TimedRow(job, SEED)
    steps = -(-len(data) // settings.batch_size)
    seconds, utterances = row.time_block(steps)
    assert seconds > 0
    assert utterances == len(data)
    for name, value in reference.learned_state().items():
        assert torch.equal(row._pack.model.learned_state()[name], value), name


def arguments(tiny, tmp_path, **changes):
    options = {"study": tiny.file, "store": tiny.store, "backbone": tiny.backbone}
    options |= {"a": "amb", "b": "finetuned_fusion", "blocks": 3, "steps": 2, "warmup": 1}
    options |= {"gpus": 0, "out": tmp_path / "speed.json", **changes}
    return ["speed", *(str(part) for k, v in options.items() for part in (f"--{k}", v))]


def test_every_block_is_written_with_the_machine_that_it_ran_on(tiny, tmp_path):
    assert main(arguments(tiny, tmp_path)) == 0
    record = read_json(tmp_path / "speed.json")
    assert [block["side"] for block in record["blocks"]] == ["a", "b", "b", "a", "a", "b"]
    assert all(block["seconds"] > 0 for block in record["blocks"])
    assert record["hardware"]["type"] == "cpu"
    assert record["hardware"]["name"]
    assert (record["threads"], record["steps"], record["warmup_steps"]) == (1, 2, 1)
    chosen = use_matmul_precision("medium", torch.device("cpu"))
    assert record["precision"] == {"a": chosen, "b": chosen}
    timing = read_timings([tmp_path / "speed.json"])["amb", "finetuned_fusion"]
    assert len(timing.seconds) == 3
    sides = [[b["utterances"] for b in record["blocks"] if b["side"] == s] for s in "ab"]
    assert sides[0] == sides[1]  # both rows see the same utterances


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": 0}, "--blocks: found 0"),
        ({"a": "gone"}, "methods: found 'gone'"),
    ],
)
def test_what_cannot_be_timed_is_named(tiny, tmp_path, capsys, changes, message):
    assert main(arguments(tiny, tmp_path, **changes)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "speed.json").exists()


def test_a_row_without_steps_is_refused(tiny, tmp_path, capsys):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"]["mean_predictor"] = {}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    assert main(arguments(tiny, tmp_path, study=study, b="mean_predictor")) == 2
    assert "mean_predictor: found 'fitted in closed form'" in capsys.readouterr().err

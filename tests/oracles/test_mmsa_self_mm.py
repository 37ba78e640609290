"""Self-MM beside MMSA's, weights copied: predictions, losses, labels and centres of three epochs.

MMSA packs its sequences, so that padded ones compare. Given states stand for BERT's in both.
"""

from types import SimpleNamespace

import pytest
import torch
from given_states import GivenStates
from run_in_mmsa import count, run_in_mmsa, weights_of

from amb.data.batches import Batch
from amb.data.frames import Frames
from baselines.self_mm import Options, assemble

BATCH = 4
PARTS = {"fusion": "fused", "text": "text", "audio": "audio", "video": "visual"}
NAMES = {
    "audio_model.rnn": "encoders.audio.last_state.lstm",
    "audio_model.linear_1": "encoders.audio.linear",
    "video_model.rnn": "encoders.visual.last_state.lstm",
    "video_model.linear_1": "encoders.visual.linear",
    **{f"post_{theirs}_layer": f"heads.{ours}.layer" for theirs, ours in PARTS.items()},
}
OPTIONS = Options(
    audio_hidden=4,
    audio_output=3,
    visual_hidden=6,
    visual_output=5,
    fused_width=11,
    text_width=8,
    audio_width=6,
    visual_width=7,
    text_dropout=0.0,
    audio_dropout=0.0,
)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return run_in_mmsa("mmsa_self_mm", tmp_path_factory.mktemp("mmsa"))


@pytest.fixture
def model(theirs):
    encoder = GivenStates(theirs["text"][0])
    model = assemble(encoder, "cls", {"audio": 5, "visual": 7}, OPTIONS)
    weights = weights_of(theirs, NAMES)
    assert model.count_parameters()["total"] == count(weights)
    model.load_state_dict(weights)
    return model


def batch_of(theirs, rows):
    frames = {}
    for m in ("audio", "visual"):
        mask = torch.arange(theirs[m].shape[1]) < theirs[f"{m}_lengths"][rows, None]
        frames[m] = Frames(theirs[m][rows], mask)
    mask = torch.ones(len(rows), theirs["text"].shape[2], dtype=torch.bool)
    return Batch(mask.long(), mask, mask.long(), frames, theirs["labels"][rows], rows)


def test_every_step_of_three_epochs_equals_that_of_mmsa(theirs, model):
    model.begin_training(SimpleNamespace(labels=theirs["labels"]))
    step = 0
    for epoch, states in enumerate(theirs["text"], start=1):
        model.begin_epoch(epoch)
        for rows in torch.arange(len(theirs["labels"])).split(BATCH):
            model.backbone.states = states[rows]
            batch = batch_of(theirs, rows)
            expected = {name: theirs[name][step] for name in ("prediction", "loss", "labels_after")}
            with torch.no_grad():
                ours = model(batch), model.train().loss(batch), model.unimodal_labels.labels
            for own, name in zip(ours, expected, strict=True):
                torch.testing.assert_close(own, expected[name], rtol=1e-5, atol=1e-5)
            step += 1
    assert (theirs["labels_after"][-1, 1:] != theirs["labels"]).any(1).all()
    centres = torch.stack([theirs["centre_pos"], theirs["centre_neg"]])
    torch.testing.assert_close(model.unimodal_labels.centres, centres, rtol=1e-5, atol=1e-5)

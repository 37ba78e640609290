"""TFN, LMF and MISA beside MMSA's own, with its weights; and the presets beside its values.

``AMB_MMSA_PYTHON`` names a Python interpreter that has MMSA 2.2.1; without it the tests skip.

All parameters of MMSA's models are copied across by name, and all of ours get one, so that the
counts differ by what is named in ``LEFT_OUT`` alone. Outputs and gradients are compared without
padding for TFN and LMF, because MMSA averages padding and its LSTM reads it, where ours do not;
for MISA with padding, but the same lengths in all modalities, because MMSA reads audio and visual
to the length of the text.
"""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.method import FeatureShape, find_builder

MODELS = ("tfn", "lmf", "misa")
PRESETS = Path(__file__).resolve().parents[2] / "config" / "presets"
D = 768  # MISA's projection of the text has it fixed

# (theirs, ours): the first prefix that fits is replaced.
SUBNETWORKS = [
    *(
        (f"{theirs}_subnet.linear_{k}.", f"subnetworks.frames.{ours}.layers.{k - 1}.")
        for theirs, ours in (("audio", "audio"), ("video", "visual"))
        for k in (1, 2, 3)
    ),
    ("audio_subnet.", "subnetworks.frames.audio."),
    ("video_subnet.", "subnetworks.frames.visual."),
    ("text_subnet.rnn.", "subnetworks.text.recurrent.lstm."),
    ("text_subnet.linear_1.", "subnetworks.text.linear."),
]
NAMES = {
    "tfn": [
        *SUBNETWORKS,
        *((f"post_fusion_layer_{k}.", f"inference.{2 * k - 1}.") for k in (1, 2, 3)),
    ],
    "lmf": [
        *SUBNETWORKS,
        ("audio_factor", "fusion.factors.audio"),
        ("video_factor", "fusion.factors.visual"),
        ("text_factor", "fusion.factors.text"),
        ("fusion_weights", "fusion.over_ranks.weight"),
        ("fusion_bias", "fusion.over_ranks.bias"),
    ],
    "misa": [
        ("shared.shared_1.", "subspaces.shared."),
        ("transformer_encoder.layers.0.", "transformer."),
        ("fusion.fusion_layer_1.", "head.0."),
        ("fusion.fusion_layer_3.", "head.3."),
        *(
            pair
            for short, ours in (("t", "text"), ("v", "visual"), ("a", "audio"))
            for pair in (
                (f"project_{short}.project_{short}.", f"subspaces.project.{ours}.0."),
                (f"project_{short}.project_{short}_layer_norm.", f"subspaces.project.{ours}.2."),
                (f"private_{short}.private_{short}_1.", f"subspaces.private.{ours}."),
                (f"private_{short}.private_{short}_3.", f"subspaces.private.{ours}."),
                (f"recon_{short}.recon_{short}_1.", f"subspaces.decode.{ours}."),
                (f"{short}rnn1.", f"frames.{ours}.first.forwards."),
                (f"{short}rnn2.", f"frames.{ours}.second.forwards."),
                (f"{short}layer_norm.", f"frames.{ours}.norm."),
            )
        ),
    ],
}
# Constants of TFN's output range; what MISA creates and never trains.
LEFT_OUT = {
    "tfn": {"output_range", "output_shift"},
    "lmf": set(),
    "misa": {
        "tlayer_norm.weight",
        "tlayer_norm.bias",
        "sp_discriminator.sp_discriminator_layer_1.weight",
        "sp_discriminator.sp_discriminator_layer_1.bias",
    },
}


class GivenStates(torch.nn.Module):
    """Stands in for the backbone: packs the text states that it was given."""

    shape = SimpleNamespace(hidden_size=D)
    states = None

    def load(self, trainable):
        return self

    def forward(self, token_ids, layout):
        return layout.pack(self.states)


def our_name(model, name):
    for theirs, ours in NAMES[model]:
        if name.startswith(theirs):
            translated = ours + name.removeprefix(theirs)
            if translated.endswith("_reverse"):
                translated = translated.replace("forwards", "backwards").removesuffix("_reverse")
            return translated
    raise KeyError(name)


def options_of(model, dataset):
    presets = yaml.safe_load((PRESETS / f"{model}.yaml").read_text(encoding="utf-8"))["presets"]
    return presets[f"{model}_{dataset}"]


def built(model, dataset, dimensions):
    shape = FeatureShape(dimensions, dict.fromkeys(dimensions, False))
    backbone = GivenStates()
    return find_builder(model)(options_of(model, dataset)["options"], backbone, shape)


def generated(model):
    """Return a batch of MOSI's dimensions; padded, with equal lengths, for MISA alone."""
    rng = np.random.default_rng(3)
    steps = (7, 7, 7) if model == "misa" else (7, 5, 9)
    lengths = np.array([7, 3, 5, 1, 7, 2]) if model == "misa" else np.full(6, 9)
    content = {"labels": rng.uniform(-3, 3, 6).astype(np.float32)}
    for name, T, F in zip(("text", "audio", "visual"), steps, (D, 5, 20), strict=True):
        content[name] = rng.standard_normal((6, T, F)).astype(np.float32)
        content[f"{name}_mask"] = np.arange(T) < lengths[:, None]
        content[name][~content[f"{name}_mask"]] = 0
    content["mask"] = content["text_mask"].astype(np.float32)
    return content


def as_batch(content):
    tensors = {name: torch.from_numpy(value) for name, value in content.items()}
    frames = {m: Frames(tensors[m], tensors[f"{m}_mask"]) for m in ("audio", "visual")}
    mask = tensors["text_mask"]
    return Batch(mask.long(), mask, mask.long(), frames, tensors["labels"])


@pytest.fixture(scope="module", params=MODELS)
def oracle(request, tmp_path_factory):
    """Return the model's name, the batch's content and what MMSA makes of it."""
    python = os.environ.get("AMB_MMSA_PYTHON")
    if not python:
        pytest.skip("AMB_MMSA_PYTHON names no interpreter that has MMSA")
    folder = tmp_path_factory.mktemp(request.param)
    content = generated(request.param)
    np.savez(folder / "inputs.npz", **content)
    script = Path(__file__).with_name("mmsa_fusion_models.py")
    paths = [str(folder / "inputs.npz"), str(folder / "out.npz")]
    command = [python, "-I", str(script), request.param, *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as arrays:
        return request.param, content, {name: arrays[name] for name in arrays}


@pytest.fixture
def ours(oracle):
    """Return our model of the MOSI preset with MMSA's weights, and its batch."""
    model, content, theirs = oracle
    net = built(model, "mosi", {"audio": 5, "visual": 20})
    net.backbone.states = torch.from_numpy(content["text"])
    own = net.state_dict()
    state = {}
    for key, value in section(theirs, "state").items():
        if key not in LEFT_OUT[model]:
            name = our_name(model, key)
            state[name] = torch.from_numpy(value).reshape(own[name].shape)
    net.load_state_dict(state)  # strict: none of ours is left without a value
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return net, as_batch(content)


def section(arrays, kind):
    prefix = f"{kind}."
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def test_outputs_equal_mmsas(oracle, ours):
    _, _, theirs = oracle
    net, batch = ours
    outputs = section(theirs, "output")
    assert np.std(outputs["eval"]) > 0.01  # utterances differ by far more than the tolerance
    if "train" in outputs:
        found = net.train()(batch).detach()
        torch.testing.assert_close(found, torch.from_numpy(outputs["train"]), rtol=0, atol=1e-5)
    found = net.eval()(batch).detach()
    torch.testing.assert_close(found, torch.from_numpy(outputs["eval"]), rtol=0, atol=1e-5)


def test_gradients_equal_mmsas(oracle, ours):
    model, _, theirs = oracle
    net, batch = ours
    if model != "misa":
        net.train()(batch)  # moves the running statistics, as theirs have been moved
    net.eval()
    loss = net.loss(batch) if model == "misa" else net(batch).sum()
    loss.backward()
    own = dict(net.named_parameters())
    gradients = section(theirs, "gradient")
    assert {our_name(model, key) for key in gradients} == set(own)
    for key, value in gradients.items():
        parameter = own[our_name(model, key)]
        expected = torch.from_numpy(value).reshape(parameter.shape)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.parametrize("oracle", ["misa"], indirect=True)
def test_each_term_of_misas_loss_equals_mmsas(oracle, ours):
    _, _, theirs = oracle
    net, batch = ours
    terms = net.eval().loss_terms(batch)
    expected = section(theirs, "term")
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value.item(), abs=1e-5), name


@pytest.mark.parametrize("dataset", ["mosi", "mosei", "sims"])
def test_a_preset_has_as_many_parameters_as_mmsas(oracle, dataset):
    model, _, theirs = oracle
    sizes = json.loads(str(theirs["sizes"]))[dataset]
    _, audio, visual = sizes["config"]["feature_dims"]
    net = built(model, dataset, {"audio": audio, "visual": visual})
    expected = sum(n for name, n in sizes["counts"].items() if name not in LEFT_OUT[model])
    assert net.count_parameters()["total"] == expected


@pytest.mark.parametrize("dataset", ["mosi", "mosei", "sims"])
def test_a_preset_has_mmsas_values(oracle, dataset):
    model, _, theirs = oracle
    config = json.loads(str(theirs["sizes"]))[dataset]["config"]
    preset = options_of(model, dataset)
    net = built(model, dataset, {"audio": 5, "visual": 20})
    training = preset["training"]
    assert training["patience"] == config["early_stop"]
    for key in ("batch_size", "learning_rate"):
        assert training[key] == config[key]
    if model == "misa":
        assert training["backbone_learning_rate"] == config["learning_rate"]
        assert net.head[1].p == config["dropout"]
        names = (("difference", "diff"), ("similarity", "sim"), ("reconstruction", "recon"))
        assert net.weights == {name: config[f"{key}_weight"] for name, key in names}
        return
    frames = net.subnetworks.frames
    assert [frames[m].dropout.p for m in ("audio", "visual")] == config["dropouts"][:2]
    if model == "tfn":
        assert net.inference[0].p == config["dropouts"][3]
    else:
        assert training["group_learning_rates"] == {"factors": config["factor_lr"]}
        assert training["weight_decay"] == config["weight_decay"]

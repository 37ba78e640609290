"""A configuration or weights file of unknown origin is refused with what is wrong in it."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from amb import AmbForSentiment
from amb.errors import InputError
from amb.files import sha256_of


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    AmbForSentiment.from_run(results.run("amb")).save_pretrained(folder)
    return folder


@pytest.fixture
def load(exported, results, tmp_path):
    """Load the exported model after some damage to it."""

    def load_damaged(damage):
        for file in exported.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        damage(tmp_path)
        return AmbForSentiment.from_pretrained(tmp_path, results.backbone)

    return load_damaged


def setting(*keys, value):
    """Damage: give a key of ``config.json`` another value."""

    def damage(folder):
        config = json.loads((folder / "config.json").read_text())
        inner = config
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (folder / "config.json").write_text(json.dumps(config))

    return damage


def without(key):
    def damage(folder):
        config = json.loads((folder / "config.json").read_text())
        del config[key]
        (folder / "config.json").write_text(json.dumps(config))

    return damage


def test_the_undamaged_model_loads(load):
    assert load(lambda folder: None).config.builder == "amb"


@pytest.mark.parametrize("builder", ["../x", "os", "os.path", "__init__", "AMB", "", "a" * 65])
def test_a_builder_that_is_no_baseline_is_refused(load, builder):
    with pytest.raises(InputError, match=r"config.json: builder: found "):
        load(setting("builder", value=builder))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (setting("builder", value=3), r"builder: found 3, expected a value of type string"),
        (setting("schema", value=2), r"schema: found 2, expected const 1"),
        (setting("surprise", value=1), r"found 'unknown key surprise', expected only schema"),
        (without("features"), r"found 'no features', expected key features"),
        (setting("features", value=[]), r"features: found \[\], expected a value of type object"),
        (setting("features", "smell", value={}), r"features: found 'unknown key smell'"),
        (setting("features", "audio", "dimension", value=0), r"dimension: found 0, .* least 1"),
        (setting("features", "audio", "dimension", value="5"), r"dimension: found '5'"),
        (setting("features", "audio", "dimension", value=7), r"audio.mean: length: found \d+"),
        (setting("features", "audio", "mean", value=None), r"audio.mean: length: found None"),
        (setting("features", "audio", "mean", value=[1.0]), r"audio.mean: length: found 1"),
        (setting("features", "audio", "std", 0, value=-1.0), r"audio.std: found -1.0"),
        (setting("features", "audio", "std", 0, value=float("nan")), r"NaN is not a number"),
        (setting("features", "audio", "word_aligned", value="yes"), r"word_aligned: found 'yes'"),
        (setting("normalisation", value="none"), r"mean: length: found \d+, expected null"),
        (setting("text", "max_pieces", value=10**9), r"max_pieces: found 10+, .* at most 512"),
        (setting("backbone", "sha256", value="0" * 63), r"backbone.sha256: found '0+'"),
        (setting("backbone", "sha256", value="0" * 64), r"backbone SHA-256: found '\w+'.* 0{64}"),
        (setting("backbone", "pooling", value="max"), r"pooling: found 'max', expected one of"),
        (setting("weights_sha256", value="0" * 64), r"model.safetensors: SHA-256: found '\w+'"),
        (
            setting("options", value={"bottelneck": 3}),
            r"config.json: options.bottelneck: found 3, expected only",
        ),
        (setting("options", value=[]), r"options: found \[\], expected a value of type object"),
        (
            setting("options", value={"adapter_bottleneck": -5}),
            r"options: found \{'adapter_bottleneck': -5\}, expected options that builder amb",
        ),
        (
            setting("options", value={"adapter_bottleneck": 3}),
            r"shape of adapters.\S+: found \([\d, ]+\), expected \([\d, ]+\)",
        ),
        (setting("builder", value="finetuned_text"), r"parameters: found \["),
        (setting("run", "method", value=["x"]), r"run.method: found \['x'\]"),
    ],
)
def test_a_wrong_value_is_named(load, damage, message):
    with pytest.raises(InputError, match=message):
        load(damage)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1, "schema": 1}', b"null", b"[]"],
    ids=["empty", "open", "bytes", "deep", "twice", "null", "list"],
)
def test_what_is_no_json_object_is_refused(load, content):
    with pytest.raises(InputError, match=r"config.json"):
        load(lambda folder: (folder / "config.json").write_bytes(content))


def test_what_is_no_saved_model_is_not_overwritten(results, random_bert, tmp_path):
    (tmp_path / "config.json").write_bytes((random_bert / "config.json").read_bytes())
    with pytest.raises(InputError, match=r"config.json: top level: found 'unknown key "):
        AmbForSentiment.from_run(results.run("amb")).save_pretrained(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(load, name):
    with pytest.raises(InputError, match=rf"{name}: file: found 'no such file'"):
        load(lambda folder: (folder / name).unlink())


def with_weights(change):
    """Damage: other weights, under the hash that belongs to them."""

    def damage(folder):
        file = folder / "model.safetensors"
        change(file)
        setting("weights_sha256", value=sha256_of(file))(folder)

    return damage


def resaved(change, metadata=None):
    def write(file):
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file, metadata)

    return write


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-5]), r"expected a whole safetensors"),
        (lambda file: file.write_bytes(b"x" * 100), r"expected a whole safetensors file"),
        (resaved(lambda tensors: None), r"backbone_sha256: found 'none'"),
        (resaved(lambda tensors: None, {"amb": "[]"}), r"metadata amb: found \[\]"),
        (resaved(lambda tensors: None, {"amb": "{"}), r"expected a whole safetensors file"),
    ],
)
def test_damaged_weights_are_refused(load, change, message):
    with pytest.raises(InputError, match=message):
        load(with_weights(change))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("row_ids", torch.tensor([10**6]), r"word_embeddings.row_ids: found .* in \[0, "),
        ("row_ids", torch.tensor([-1]), r"word_embeddings.row_ids: found"),
        ("row_ids", torch.tensor([0.5]), r"word_embeddings.row_ids: found 'torch.float32"),
        ("rows", torch.zeros(1, 3), r"shape of \S+word_embeddings.rows: found \(1, 3\)"),
    ],
)
def test_rows_of_an_embedding_that_has_no_such_rows_are_refused(
    results, tmp_path, name, value, message
):
    AmbForSentiment.from_run(results.run("finetuned_text")).save_pretrained(tmp_path)
    metadata = {"amb": json.dumps({"backbone_sha256": backbone_of(tmp_path)})}
    embedding = "backbone.embeddings.word_embeddings"

    def change(tensors):
        tensors[f"{embedding}.rows"] = tensors[f"{embedding}.rows"][:1].clone()
        tensors[f"{embedding}.row_ids"] = tensors[f"{embedding}.row_ids"][:1].clone()
        tensors[f"{embedding}.{name}"] = value

    with_weights(resaved(change, metadata))(tmp_path)
    with pytest.raises(InputError, match=message):
        AmbForSentiment.from_pretrained(tmp_path, results.backbone)


def backbone_of(folder):
    return json.loads((folder / "config.json").read_text())["backbone"]["sha256"]

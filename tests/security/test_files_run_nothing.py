"""Hostile files of every format are really read, under watch; none of them runs anything."""

from __future__ import annotations

import json
import pickle
import shutil

import pytest
import yaml
from hostile_files import Payload, pickled_weights, poison_parquet, write_all

from amb.cli import main
from amb.files import read_json, sha256_of, write_json
from amb.study import digest


def expect_harmless(ends, mark):
    """Nothing was caught, nothing was made, and every refusal is one in words."""
    assert [end["caught"] for end in ends] == [[]] * len(ends)
    assert not mark.exists()
    assert [end["said"] for end in ends if end["status"] not in (0, 1, 2)] == []
    assert [end["said"] for end in ends if "Traceback" in end["said"]] == []


def test_no_data_file_runs_anything_and_the_watch_would_see_it(watched, tmp_path):
    mark = tmp_path / "mark"
    folder = tmp_path / "files"
    folder.mkdir()
    files = write_all(folder, mark)
    control = tmp_path / "control.pkl"
    control.write_bytes(pickle.dumps(Payload(tmp_path / "was run")))
    inspections = [["data", "inspect", file] for file in files]
    imports = [["data", "import", file, "--out", tmp_path / "store"] for file in files]
    run, *ends = watched(["unpickle", control], *inspections, *imports)
    assert (tmp_path / "was run").is_dir()
    assert any("find_class" in what for what in run["caught"])
    assert any("pickle.loads" in what for what in run["caught"])
    expect_harmless(ends, mark)
    refused = [end for end, file in zip(ends, files, strict=False) if file.suffix == ".pkl"]
    assert len(refused) == 14
    assert all("refused: " in end["said"] for end in refused)
    assert all("found 'posix.mkdir'" in end["said"] for end in refused)


def test_no_results_folder_runs_anything(watched, results, tmp_path):
    mark = tmp_path / "mark"
    poison_parquet(results / "runs" / "amb" / "seed1111" / "predictions.parquet", mark)
    (results / "runs" / "amb" / "seed1112" / "checkpoint.safetensors").write_bytes(
        pickled_weights(mark)
    )
    tagged = f"!!python/object/apply:os.mkdir ['{mark}']\n"
    (results / "config" / "study.yaml").write_text(tagged)
    study = read_json(results / "study.json")
    del study["sha256"]
    study["description"] = tagged
    study["methods"]["amb"]["label"] = "{{ cycler.__init__.__globals__.os.mkdir('x') }}"
    write_json(results / "study.json", {**study, "sha256": digest(study)})
    page = tmp_path / "page.html"
    ends = watched(
        ["verify", results, "--no-figures"],
        ["page", "--results", results, "--out", page],
        ["show", results],
        ["trace", results, "comparison:amb:mae"],
        ["study", "--study", results / "config" / "study.yaml"],
        ["status", results],
    )
    expect_harmless(ends, mark)
    assert "cycler.__init__" in page.read_text()  # shown, as any other label


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """One finished run of the tiny study, laid out as the workflow does."""
    folder = tmp_path_factory.mktemp("trained") / "tiny"
    shutil.copytree(tiny.store, folder / "store")
    shutil.copytree(tiny.backbone, folder / "backbone")
    same = ["--study", tiny.file, "--store", folder / "store", "--backbone", folder / "backbone"]
    run = ["--method", "amb", "--seeds", 1111, "--runs", folder / "runs", "--gpus", 0]
    for command in ("train", "evaluate"):
        assert main([command, *map(str, (*same, *run))]) == 0
    return folder


def test_no_checkpoint_and_no_backbone_runs_anything(watched, trained, tiny, tmp_path):
    mark = tmp_path / "mark"
    ends = watched(
        *hostile_predictions(trained, tmp_path, mark), *hostile_backbones(tiny, tmp_path, mark)
    )
    expect_harmless(ends, mark)
    assert [end["status"] for end in ends[:3]] == [0, 2, 2]
    assert ends[4]["status"] == 2
    assert not (tmp_path / "pickled-out").exists()


def hostile_predictions(trained, tmp_path, mark):
    """Predict from an honest run, and with a pickle as the run's and as the backbone's weights."""
    weights = pickled_weights(mark)
    folders = [shutil.copytree(trained, tmp_path / name) for name in ("honest", "run", "base")]
    honest, run, base = (folder / "runs" / "amb" / "seed1111" for folder in folders)
    replaced = run / "checkpoint.safetensors"
    replaced.write_bytes(weights)
    record = read_json(run / "run.json")
    write_json(run / "run.json", {**record, "checkpoint_sha256": sha256_of(replaced)})
    backbone = folders[2] / "backbone"
    (backbone / "model.safetensors").write_bytes(weights)
    card = read_json(backbone / "card.json")
    sha256 = sha256_of(backbone / "model.safetensors")
    files = {**card["files"], "model.safetensors": sha256}
    write_json(backbone / "card.json", {**card, "files": files})
    write_json(base / "run.json", {**read_json(base / "run.json"), "backbone_sha256": sha256})
    out = ["--out", tmp_path / "out.csv", "--gpus", 0]
    predict = ["predict", "--input", trained / "store", *out]
    return [[*predict, "--checkpoint", own] for own in (honest, run, base)]


def hostile_backbones(tiny, tmp_path, mark):
    """Prepare a Hugging Face folder with remote code, and one whose only weights are a pickle."""
    coded = shutil.copytree(tiny.checkpoint, tmp_path / "coded")
    config = json.loads((coded / "config.json").read_text())
    config["auto_map"] = dict.fromkeys(("AutoConfig", "AutoModel"), "remote.Remote")
    (coded / "config.json").write_text(json.dumps(config))
    (coded / "remote.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    pickled = shutil.copytree(tiny.checkpoint, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    (pickled / "pytorch_model.bin").write_bytes(pickled_weights(mark))
    commands = []
    for folder in (coded, pickled):
        content = yaml.safe_load(tiny.file.read_text())
        content["backbone"]["name"] = str(folder)
        file = tmp_path / f"{folder.name}.yaml"
        file.write_text(yaml.safe_dump(content))
        commands.append(["backbone", "--study", file, "--out", tmp_path / f"{folder.name}-out"])
    return commands

"""Turned bits, cut files and files that vanish: each is noticed, named, and made again."""

from __future__ import annotations

import shutil

import pytest
import yaml
from damage import Command, amb, flip_a_bit, truncate, wait_for
from outcomes import FULL, most_in_full, only_in_full, times
from site_of_faults import METHOD, SEEDS, STORE_FILES

from amb.model.backbone import HASHED_FILES

WAYS = {"a bit turned": flip_a_bit, "cut": truncate}
TIMES = {"a bit turned": times(1, 40), "cut": times(0, 10)}


@pytest.fixture(params=most_in_full([*WAYS]))
def way(request):
    return request.param


def run_file(results, name):
    return results / "runs" / METHOD / f"seed{SEEDS[0]}" / name


def test_damaged_checkpoint(site, outcome, chance, tmp_path, way):
    counted = outcome(f"checkpoint, {way}")
    for number in range(TIMES[way]):
        results = site.finished(tmp_path / str(number))
        damaged = run_file(results, "checkpoint.safetensors")
        WAYS[way](damaged, chance)
        run_file(results, "predictions.parquet").unlink()
        ended = amb(site.evaluate(results), tmp_path / "log")
        named = ended.status == 2 and f"{damaged}: SHA-256: found" in ended.said
        site.note(counted, results, taken=not named)
    counted.require_unharmed()


def test_damaged_predictions(site, outcome, chance, tmp_path, way):
    counted = outcome(f"predictions, {way}")
    noticed = 0
    for number in range(TIMES[way]):
        results = site.finished(tmp_path / str(number))
        damaged = run_file(results, "predictions.parquet")
        WAYS[way](damaged, chance)
        for name in ("scores.csv", "summary.csv"):
            (results / name).unlink()
        ended = amb(site.score(results), tmp_path / "log")
        noticed += (named := ended.status == 2 and str(damaged) in ended.said)
        # Some bits say nothing that is read: who wrote the file, for one.
        harmless = ended.status == 0 and not site.harmed(results)
        site.note(counted, results, score=True, taken=not (named or harmless))
    assert noticed > 0 or not FULL
    counted.require_unharmed()


@only_in_full
def test_damaged_record(site, outcome, chance, tmp_path, way):
    counted = outcome(f"record of a run, {way}")
    for number in range(TIMES[way]):
        results = site.finished(tmp_path / str(number))
        WAYS[way](run_file(results, "run.json"), chance)
        run_file(results, "predictions.parquet").unlink()
        # What an evaluation makes of it must be right, or nothing.
        amb(site.evaluate(results), tmp_path / "log")
        predictions = run_file(results, "predictions.parquet")
        wrong = predictions.exists() and str(predictions) in site.harmed(results)
        site.note(counted, results, taken=wrong)
    counted.require_unharmed()


@only_in_full
def test_damaged_state_of_a_training(site, outcome, chance, tmp_path, way):
    counted = outcome(f"state of an interrupted training, {way}")
    interrupted = tmp_path / "interrupted"
    kept = run_file(interrupted, "resume.safetensors")
    training = Command(site.train(interrupted, keep=0), tmp_path / "log")
    wait_for(kept, training)
    training.kill_after(0)
    for number in range(TIMES[way]):
        results = shutil.copytree(interrupted, tmp_path / str(number))
        WAYS[way](run_file(results, kept.name), chance)
        first, *_ = site.note(counted, results)
        whole = "going on from epoch" in first.said  # the bit says nothing that is read
        assert (
            whole
            or "not usable, training starts anew" in first.said
            or "of other inputs" in first.said
        )
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("name", [*STORE_FILES, "labels.test.parquet"])
def test_damaged_store(site, outcome, chance, tmp_path, way, name):
    counted = outcome(f"store, {way}")
    noticed = 0
    for number in range(max(1, TIMES[way] // 4)):
        results, store = tmp_path / str(number), tmp_path / f"store{number}"
        shutil.copytree(site.store, store)
        WAYS[way](store / name, chance)
        for command in (site.train(results, store=store), site.evaluate(results, store=store)):
            ended = amb(command, tmp_path / "log")
            if ended.status != 0:
                break
        named = ended.status == 2 and str(store / name) in ended.said
        noticed += named
        harmless = ended.status == 0 and name == "card.json" and not site.harmed(results)
        taken = not (named or harmless)
        shutil.rmtree(store)
        assert amb(site.prepare(store), tmp_path / "log").status == 0
        assert amb(site.train(results, store=store), tmp_path / "log").status == 0
        site.note(counted, results, taken=taken)
    assert noticed > 0 or name == "card.json"
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("name", HASHED_FILES)
def test_damaged_backbone(site, outcome, chance, tmp_path, way, name):
    counted = outcome(f"prepared backbone, {way}")
    for number in range(max(1, TIMES[way] // 4)):
        results, backbone = tmp_path / str(number), tmp_path / f"backbone{number}"
        shutil.copytree(site.backbone, backbone)
        WAYS[way](backbone / name, chance)
        ended = amb(site.train(results, backbone=backbone), tmp_path / "log")
        named = ended.status == 2 and f"{backbone / name}: SHA-256: found" in ended.said
        site.note(counted, results, taken=not named)
    counted.require_unharmed()


def test_vanished_data_file(site, outcome, tmp_path):
    counted = outcome("data file vanished")
    content = yaml.safe_load(site.study.read_text())
    content["data"] = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": "data.csv"}}
    study, data, store = tmp_path / "study.yaml", tmp_path / "data.csv", tmp_path / "store"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    rows = [
        f"v{v},{c},what a film {c},{(v + c) % 5 - 2},{mode}"
        for v, mode in enumerate(("train", "train", "valid", "test"))
        for c in range(4)
    ]
    table = "\n".join(["video_id,clip_id,text,label,mode", *rows])
    command = ["data", "prepare", "--study", study, "--data-root", tmp_path, "--out", store]
    data.write_text(table)
    first = amb(command, tmp_path / "log")
    assert first.status == 0, first.said
    kept = {file.name: file.read_bytes() for file in store.iterdir()}
    for _ in range(times(1, 3)):
        data.unlink()
        ended = amb(command, tmp_path / "log")
        named = ended.status == 2 and f"{data}: " in ended.said and "no such file" in ended.said
        untouched = {file.name: file.read_bytes() for file in store.iterdir()} == kept
        data.write_text(table)
        again = amb(command, tmp_path / "log")
        equal = {file.name: file.read_bytes() for file in store.iterdir()} == kept
        counted.note(again.status == 0, named and untouched and equal)
    counted.require_unharmed()

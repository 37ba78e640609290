"""The data that speed is compared on, and the arithmetic of the comparison."""

import json
import os
import pickle
import subprocess

import numpy as np
import pytest

from amb.data.store import Store
from amb.data.token_cache import cached_tokens
from benchmarks.contender_amb import Contender
from benchmarks.mmsa_step import MMSA, OURS, ROOT, ratio, speeds, table
from benchmarks.mosi_like import prepare
from benchmarks.readme import replace_section

SIZES = {"train": 40, "valid": 5, "test": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, random_bert):
    folder = tmp_path_factory.mktemp("mosi_like")
    methods = {row: {} for row in OURS}
    mean = prepare(folder, str(random_bert), methods, SIZES, mean_pieces=18, longest=50)
    assert 12 < mean < 24
    return folder


def test_both_sides_read_the_same_word_pieces_and_frames(folder):
    store = Store.open(folder / "store")
    tokens = cached_tokens(store, folder / "backbone", 50)
    content = pickle.loads((folder / "data.pkl").read_bytes())
    theirs = np.concatenate([content[split]["text_bert"] for split in SIZES])
    audio = np.concatenate([content[split]["audio"] for split in SIZES])
    assert len(store.utterances) == sum(SIZES.values())
    for row, (ids, mask, segments) in enumerate(theirs):
        own = tokens.token_ids[tokens.offsets[row] : tokens.offsets[row + 1]]
        np.testing.assert_array_equal(own, ids[mask > 0])
        assert not segments.any()
        frames = store.features("audio")[row]
        np.testing.assert_array_equal(frames, audio[row, : int(mask.sum())])
    assert theirs[:, 1].sum(1).max() > 1.5 * theirs[:, 1].sum(1).mean()  # some are long


def test_a_contender_takes_as_many_steps_as_it_is_told(folder):
    from amb.training.job import Job

    parts = (folder / part for part in ("study.yaml", "store", "backbone"))
    row = Contender(Job(*parts, "mag_bert_mosi", folder, "cpu"))
    assert row.as_shipped == "medium"
    assert row.take_steps(2) == 40  # batches of 32 and 8: the split begins anew
    assert row.take_steps(1) == 32


def blocks(rates):
    """Blocks of two rounds: utterances a CPU second by row and precision, doubled in the second."""
    return [
        {"round": number, "row": row, "precision": precision, "utterances": 32}
        | {"cpu_s": 32 / (rate * (1 + number)), "wall_s": 1.0}
        for number in (1, 0)
        for (row, precision), rate in rates.items()
    ]


RATES = {(MMSA, "highest"): 10.0, (MMSA, "medium"): 20.0} | {
    (row, precision): base * (place + 1)
    for place, row in enumerate(OURS)
    for precision, base in (("highest", 30.0), ("medium", 50.0))
}


def test_ratios_are_of_the_same_round():
    measured = blocks(RATES)
    assert speeds(measured, MMSA, "highest") == pytest.approx([10, 20])
    assert ratio(measured, "mag_bert_mosi", "medium", "highest") == "5.00 (5.00–5.00)"
    assert ratio(measured, "amb", "highest", "highest") == "12.00 (12.00–12.00)"


def test_the_table_shows_ratios_as_shipped_and_with_each_precision_for_both():
    sides = {"torch": "2", "batch_size": 32, "transformers": "4", "trainable": {MMSA: 2e7}}
    ours = {"torch": "2", "trainable": dict.fromkeys(OURS, 1e6)}
    measured = {
        "mmsa": sides,
        "ours": {**ours, "as_shipped": dict.fromkeys(OURS, "medium")},
        "machine": {"processor": "CPU", "cores": 2, "load": 0.1},
        **{"backbone": "minilm", "mean_pieces": 18.0, "rounds": 2, "steps": 10},
        "blocks": blocks(RATES),
    }
    row = next(line for line in table(measured).splitlines() if "`mag_bert`" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == [
        *("1.0", "45.0", "75.0"),
        *("5.00 (5.00–5.00)", "3.00 (3.00–3.00)", "2.50 (2.50–2.50)"),
    ]


def test_a_section_of_the_readme_is_replaced_and_nothing_else(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("a\n<!-- begin x -->\nold\n<!-- end x -->\nz\n")
    replace_section("x", "new\n", file)
    replace_section("x", "newer\n", file)
    assert file.read_text() == "a\n<!-- begin x -->\nnewer\n<!-- end x -->\nz\n"
    with pytest.raises(SystemExit, match="has no section y"):
        replace_section("y", "new", file)


def test_mmsa_takes_the_steps_that_it_is_told(folder):
    python = os.environ.get("AMB_MMSA_PYTHON")
    if not python:
        pytest.skip("AMB_MMSA_PYTHON names no interpreter that has MMSA")
    command = [python, "-m", "benchmarks.contender_mmsa"]
    command += [str(folder / "data.pkl"), str(folder / "backbone")]
    asked = "".join(
        json.dumps({"row": MMSA, "precision": "highest", "steps": steps}) + "\n" for steps in (2, 1)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, input=asked, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    facts, *answers = map(json.loads, done.stdout.splitlines())
    assert (facts["mmsa"], facts["batch_size"]) == ("2.2.1", 32)
    assert [answer["utterances"] for answer in answers] == [40, 32]
    assert all(answer["cpu_s"] > 0 for answer in answers)

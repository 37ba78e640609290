"""What a file is, told from its content alone."""

import argparse
import json
import os
import pickle
import shutil

import numpy as np
import pytest
from small_layouts import mmsa, tuples

from amb.cli import data as command
from amb.cli.inspection_text import render
from amb.data.formats.layouts import LAYOUTS
from amb.data.inspection.detect import detect
from amb.data.inspection.report import inspect_file
from amb.errors import InputError

NAMES = (
    "mmsa",
    "mag",
    "misa",
    "mult",
    "segments",
    "csd",
    "h5",
    "label_csv",
    "transcripts",
    "folds",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_is_found_by_content_whatever_the_file_is_called(layouts, tmp_path, name):
    file = tmp_path / "nameless"
    shutil.copy(layouts[name], file)
    assert detect(file).layout == name
    found = inspect_file(file)
    whole = not LAYOUTS[name].needs
    assert found.verdict == ("accepted" if whole else "needs more"), found.reason
    text = render(found)
    assert LAYOUTS[name].lacks in text
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\x03\x04zip",
        b"\x80\x04K\x01.",
        b"\x89HDF\r\n\x1a\nbroken",
        b"\xff\xfe\x00",
    ],
)
def test_what_no_layout_fits_is_refused_and_described(tmp_path, content):
    file = tmp_path / "x.pkl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pkl"):
        detect(file)
    found = inspect_file(file)
    assert found.verdict == "refused"
    assert "x.pkl" in found.reason


def test_a_pickle_that_would_run_code_is_described_and_runs_nothing(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps({"train": Hostile()}))
    found = inspect_file(file)
    assert found.verdict == "refused"
    assert "posix.mkdir" in found.reason
    assert not (tmp_path / "ran").exists()


def test_values_that_matter_are_counted(tmp_path):
    content = mmsa()
    content["train"]["audio"][0, 1] = [np.nan, np.inf, -np.inf]
    content["test"]["vision"][:, :, 1] = 7
    content["valid"]["id"] = ["train$_$0", "v$_$1", "v$_$1"]
    content["test"]["regression_labels"][2] = 4.5
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    found = inspect_file(tmp_path / "x.pkl")
    measures = {(block.split, block.name): own for block, own in found.blocks}
    assert (measures["train", "audio"].nan, measures["train", "audio"].infinite) == (1, 2)
    assert measures["test", "vision"].constant == 1
    assert measures["test", "vision"].high == 7
    assert found.splits["test"]["label_range"] == [-3.0, 4.5]
    assert "1 ids occur twice in valid: v$_$1" in found.problems
    assert "1 ids are in two splits: train$_$0" in found.problems
    assert "1 videos are in two splits: train" in found.problems
    assert found.verdict == "refused"
    assert "unique ids" in found.reason


def test_a_known_file_is_named(real_data):
    found = inspect_file(real_data / "mosi_misa" / "dev.pkl")
    assert found.release == "MISA, CMU-MOSI dev.pkl"
    assert found.splits["all"]["videos"] == 10
    constant = {block.name: own.constant for block, own in found.blocks if own}
    assert constant == {"visual": 0, "acoustic": 1}


def test_the_command_prints_text_or_json(layouts, capsys):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    command.run(parser.parse_args(["inspect", str(layouts["mmsa"])]))
    assert "accepted: as reader mmsa" in capsys.readouterr().out
    command.run(parser.parse_args(["inspect", "--json", str(layouts["mmsa"])]))
    assert json.loads(capsys.readouterr().out)["verdict"] == "accepted"
    command.run(parser.parse_args(["layouts"]))
    printed = capsys.readouterr().out
    assert all(f"{name}: {layout.title}" in printed for name, layout in LAYOUTS.items())


def test_tuples_with_frames_of_another_width_are_refused_by_segment(tmp_path):
    content = {"train": tuples("a"), "dev": tuples("b"), "test": tuples("c")}
    (words, visual, _), label, segment = content["dev"][2]
    content["dev"][2] = ((words, visual, np.ones((2, 9))), label, segment)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    found = inspect_file(tmp_path / "x.pkl")
    assert found.verdict == "refused"
    assert "acoustic of b[2]" in found.reason

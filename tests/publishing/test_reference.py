"""A reference is small, holds what verifying needs, and was verified."""

from __future__ import annotations

import pandas as pd
import pytest

from amb.cli import main
from amb.cli.verify import run_quietly
from amb.errors import InputError
from amb.evaluation.predictions import read_origin
from amb.files import read_json, sha256_of
from amb.publishing.reference import write_reference


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_reference_has_predictions_numbers_and_hashes_of_the_pictures(results, tmp_path):
    target = tmp_path / "reference" / "simulated"
    assert main(["reference", str(results.folder), "--out", str(target)]) == 0
    ours, theirs = contents(target), contents(results.folder)
    left_out = read_json(target / "left_out.json")["left_out"]
    assert set(left_out) == {name for name in theirs if name.startswith("figures/")}
    assert all(sha256_of(results.folder / name) == value for name, value in left_out.items())
    assert set(ours) == set(theirs) - set(left_out) | {"left_out.json"}
    smaller = {name for name in ours if name.endswith(".parquet")}
    assert all(ours[name] == theirs[name] for name in set(ours) & set(theirs) - smaller)
    for name in smaller:
        pd.testing.assert_frame_equal(
            pd.read_parquet(target / name), pd.read_parquet(results.folder / name)
        )
        assert read_origin(target / name) == read_origin(results.folder / name)
        assert len(ours[name]) < len(theirs[name])


def test_what_is_not_what_the_predictions_say_becomes_no_reference(results, tmp_path):
    table = results.folder / "tables" / "comparison.md"
    table.write_text(table.read_text().replace("AMB", "BMA"))
    with pytest.raises(InputError, match="files: found 'some differ'"):
        write_reference(results.folder, tmp_path / "reference", run_quietly)
    assert not (tmp_path / "reference").exists()


def test_an_unfinished_study_becomes_no_reference(results, tmp_path):
    (results.folder / "figures" / "comparison.png").unlink()
    with pytest.raises(InputError, match=r"comparison\.png: file: found 'no such file'"):
        write_reference(results.folder, tmp_path / "reference", run_quietly)

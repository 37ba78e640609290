"""A folder that is as it was made verifies; whatever is changed in it is found and named."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from amb.cli import main
from amb.cli.verify import run_quietly
from amb.errors import InputError
from amb.evaluation.predictions import read_origin, write_predictions
from amb.files import read_json, sha256_of, write_json
from amb.verification.compare import (
    DIFFERS,
    EXTRA,
    LEFT_OUT,
    MISSING,
    NOT_DRAWN,
    NOT_REBUILT,
    SAME_BYTES,
    SAME_NUMBERS,
)
from amb.verification.display import show_verification
from amb.verification.steps import PICTURES, files_of
from amb.verification.verify import describe, verify

ROOT = Path(__file__).resolve().parents[2]


def states(verification):
    """The files that are not the same to the byte, with what became of them."""
    fine = (SAME_BYTES, NOT_DRAWN)
    return {file.name: file.state for file in verification.files if file.state not in fine}


def differences(verification, name):
    (file,) = (file for file in verification.files if file.name == name)
    return file.differences


def places(verification, name):
    return [difference.place for difference in differences(verification, name)]


def contents(folder):
    return {
        file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def test_an_untouched_folder_agrees_to_the_byte_and_stays_as_it_is(results):
    before = contents(results.folder)
    verification = verify(results.folder, run_quietly)
    assert verification.agrees
    assert states(verification) == {}
    assert len(verification.files) == len(files_of(results.study))
    assert contents(results.folder) == before


def test_one_changed_prediction_changes_the_numbers_of_its_row_and_no_others(results):
    file = results.run("amb", 1112) / "predictions.parquet"
    frame, origin = pd.read_parquet(file), read_origin(file)
    place = np.flatnonzero(frame["split"] == "test")[0]
    frame.loc[place, "prediction"] += 0.5
    write_predictions(file, frame, origin)

    verification = verify(results.folder, run_quietly, figures=False)

    assert not verification.agrees
    scores = places(verification, "scores.csv")
    assert all("(amb, 1112, test, " in place for place in scores)
    assert any("(amb, 1112, test, mae), value" in place for place in scores)
    assert all("(amb" in place for place in places(verification, "summary.csv"))
    compared = places(verification, "comparison.csv")
    assert any(", amb, " in place and place.endswith("estimate") for place in compared)
    # Holm corrects the other row's p-values in the same family, so these may move with it.
    others = [place for place in compared if ", amb, " not in place]
    assert all(place.endswith(("p_adjusted", "significant")) for place in others)


def test_an_edited_number_is_found_with_its_row_and_column(results):
    file = results.folder / "summary.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    place = table.index[(table["method"] == "amb") & (table["metric"] == "mae")][0]
    honest = table.loc[place, "mean"]
    table.loc[place, "mean"] = "0.1234"
    table.to_csv(file, index=False)

    verification = verify(results.folder, run_quietly, figures=False)

    assert states(verification) == {"summary.csv": DIFFERS}
    (difference,) = differences(verification, "summary.csv")
    assert (difference.found, difference.rebuilt) == ("0.1234", honest)
    assert difference.place.endswith("(amb, mae), mean") or "mean" in difference.place


def test_a_rounded_last_digit_agrees_and_a_digit_that_counts_does_not(results):
    file = results.folder / "summary.csv"
    table = pd.read_csv(file)
    table["mean"] *= 1 + 1e-11
    table.to_csv(file, index=False, na_rep="NaN")
    assert states(verify(results.folder, run_quietly, figures=False)) == {
        "summary.csv": SAME_NUMBERS
    }
    table["mean"] *= 1 + 1e-7
    table.to_csv(file, index=False, na_rep="NaN")
    assert states(verify(results.folder, run_quietly, figures=False)) == {"summary.csv": DIFFERS}


def test_verdicts_tables_and_files_that_were_edited_removed_or_added_are_named(results, capsys):
    folder = results.folder
    tested = read_json(folder / "claims.json")
    tested["claims"][0]["verdict"] = "reproduced (honestly)"
    write_json(folder / "claims.json", tested)
    text = (folder / "tables" / "comparison.md").read_text()
    (folder / "tables" / "comparison.md").write_text(text.replace("AMB", "AMB\x1b[31m"))
    (folder / "tables" / "metric_variants.csv").unlink()
    (folder / "tables" / "better.csv").write_text("method,mae\namb,0.1\n")

    with pytest.raises(SystemExit):
        main(["verify", str(folder), "--no-figures", "--output", str(folder.parent / "found.json")])

    printed = capsys.readouterr().out
    assert "claims.amb-beats-finetuned-mae.verdict" in printed
    assert '"reproduced (honestly)"' in printed
    assert "\x1b[31m" not in printed
    found = read_json(folder.parent / "found.json")
    assert not found["agrees"]
    wrong = {
        file["name"]: file["state"]
        for file in found["files"]
        if file["state"] not in (SAME_BYTES, NOT_DRAWN)
    }
    assert wrong == {
        "claims.json": DIFFERS,
        "tables/comparison.md": DIFFERS,
        "tables/metric_variants.csv": MISSING,
        "tables/better.csv": EXTRA,
    }


def test_a_deleted_seed_is_named(results, capsys):
    shutil.rmtree(results.run("amb", 1112))
    assert main(["verify", str(results.folder)]) == 2
    assert (
        "simulated/runs/amb/seed1112/run.json: file: found 'no such file'"
        in capsys.readouterr().err
    )


def test_a_seed_left_out_of_the_study_too_is_found_by_what_was_made_of_it(results):
    """Whoever drops a bad seed has to change the study, every table and every verdict with it."""
    study = read_json(results.folder / "study.json")
    study["methods"]["amb"]["seeds"] = [1111, 1112]
    write_json(results.folder / "study.json", study)
    with pytest.raises(InputError, match=r"study\.json: sha256: found '\w{64}', expected \w{64}"):
        verify(results.folder, run_quietly, figures=False)


def test_predictions_of_another_store_are_refused_with_both_hashes(results):
    file = results.run("amb", 1112) / "predictions.parquet"
    frame, origin = pd.read_parquet(file), read_origin(file)
    write_predictions(file, frame, {**origin, "store_sha256": "7" * 64})
    with pytest.raises(InputError, match=rf"store_sha256: found '{'7' * 64}', expected {'5' * 64}"):
        verify(results.folder, run_quietly, figures=False)


def test_a_run_of_another_study_is_refused_with_both_hashes(results):
    file = results.run("finetuned_text", 1111) / "run.json"
    record = read_json(file)
    ours = record["config_sha256"]
    write_json(file, {**record, "study": "other", "config_sha256": "9" * 64})
    with pytest.raises(InputError, match="study: found 'other', expected 'simulated'") as refused:
        verify(results.folder, run_quietly, figures=False)
    assert f"found '{'9' * 64}', expected {ours}" in str(refused.value)
    assert str(file) in str(refused.value)


def test_predictions_moved_from_another_seed_are_refused(results):
    shutil.copy(
        results.run("amb", 1111) / "predictions.parquet",
        results.run("amb", 1112) / "predictions.parquet",
    )
    with pytest.raises(InputError, match="origin, checkpoint_sha256"):
        verify(results.folder, run_quietly, figures=False)


def test_pictures_may_be_left_out_and_numbers_may_not(results):
    folder = results.folder
    page = sha256_of(folder / "claims.html")
    for file in (folder / "figures").iterdir():
        file.unlink()
    left_out = {name: "0" * 64 for name in files_of(results.study) if name.endswith(PICTURES)}
    pictures = list(left_out)
    (folder / "claims.html").unlink()  # a page may be left out, with its own SHA-256
    left_out["claims.html"] = page
    write_json(folder / "left_out.json", {"schema": 1, "left_out": left_out})
    verification = verify(folder, run_quietly)
    assert verification.agrees
    assert states(verification) == dict.fromkeys(pictures, LEFT_OUT)
    write_json(folder / "left_out.json", {"left_out": {"summary.csv": "0" * 64}})
    with pytest.raises(
        InputError, match=r"left_out: found 'summary\.csv', expected a file that ends"
    ):
        verify(folder, run_quietly)


def test_a_step_that_fails_is_reported_and_the_others_go_on(results):
    record = results.run("amb", 1111) / "run.json"
    content = read_json(record)
    content["parameters"] = {"total": 1, "trainable": 2}
    write_json(record, content)
    verification = verify(results.folder, run_quietly, figures=False)
    failed = {failure.step: failure.message for failure in verification.failures}
    assert {"claims", "tables"} <= set(failed) <= {"claims", "tables", "ablation"}
    assert f"{record}: parameters" in failed["claims"]
    assert states(verification)["claims.json"] == NOT_REBUILT
    assert "summary.csv" not in states(verification)
    stream = io.StringIO()
    show_verification(verification, Console(file=stream, width=120))
    assert "amb claims failed" in stream.getvalue()
    assert not describe(verification)["agrees"]


def test_a_zip_file_verifies_like_its_folder_and_what_was_made_can_be_kept(
    results, tmp_path, capsys
):
    archive = tmp_path / "sent.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(results.folder.rglob("*")):
            if file.is_file():
                packed.write(file, f"results/simulated/{file.relative_to(results.folder)}")
    kept, count = tmp_path / "kept", len(files_of(results.study))
    assert main(["verify", str(archive), "--keep", str(kept)]) == 0
    said = capsys.readouterr().out
    assert f"{count} of {count} files agree, {count} of them byte for byte" in said
    assert (kept / "figures" / "comparison.pdf").read_bytes() == (
        results.folder / "figures" / "comparison.pdf"
    ).read_bytes()


def test_verifying_imports_neither_torch_nor_transformers_nor_snakemake(results):
    code = """
import sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "snakemake", "tokenizers"}:
            raise AssertionError(f"imported {name}")

sys.meta_path.insert(0, Forbid())
from amb.cli import main
sys.exit(main(["verify", sys.argv[1]]))
"""
    count = len(files_of(results.study))
    done = subprocess.run(
        [sys.executable, "-c", code, str(results.folder)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert f"{count} of {count} files agree" in done.stdout
    assert json.loads((results.folder / "study.json").read_text())["name"] == "simulated"

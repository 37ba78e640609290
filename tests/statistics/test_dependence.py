"""One stored prediction, changed by hand: what depends on it changes, and nothing else.

The commands of the workflow run on a small study twice, before and after. Corrected p-values are
the one thing that other rows may change in, for they depend on all p-values of a family; they must
be what the correction of the new p-values gives.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amb.cli import main
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import write_json
from amb.statistics.multiplicity import holm_correction

ROWS = {"amb": 0.5, "late_fusion": 0.7, "finetuned_fusion": 1.0}  # noise of each
LABELS = {"amb": "Row one", "late_fusion": "Row two", "finetuned_fusion": "Row three"}
SEEDS = (11, 12, 13, 14)
STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods:
  amb: {label: Row one}
  late_fusion: {label: Row two}
  finetuned_fusion: {label: Row three}
seeds: {first: 11, count: 4}
training: {max_epochs: 1}
statistics: {reference: finetuned_fusion, metrics: [mae, acc7]}
"""
CLAIM = """
  - id: {id}
    statement: "{a} is better than {b}"
    source: {{paper: "a paper", where: abstract}}
    kind: ordering
    metric: {metric}
    contrast: {{a: {a}, b: {b}, form: relative}}
    sesoi: 0.01
    scope: {{headline: fixed_set, also: population}}
    family: {family}
"""
CLAIMS = {
    "one-three": ("amb", "finetuned_fusion", "mae", "primary"),
    "two-three": ("late_fusion", "finetuned_fusion", "mae", "primary"),
    "one-two": ("amb", "late_fusion", "mae", "others"),
    "one-three-acc7": ("amb", "finetuned_fusion", "acc7", "alone"),
}
CORRECTED = ["p_adjusted", "significant"]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, simulate):
    """Return a study's folder and what the commands make of it."""
    folder = tmp_path_factory.mktemp("study")
    claims = [
        CLAIM.format(id=name, a=a, b=b, metric=metric, family=family)
        for name, (a, b, metric, family) in CLAIMS.items()
    ]
    head = (
        "schema: 1\nalpha: 0.05\nfamilies: {primary: holm, others: holm, alone: holm}\n"
        "collapse_rule: {split: valid, metric: mae, worse_than: 0.99}\nclaims:\n"
    )
    (folder / "study.yaml").write_text(STUDY)
    (folder / "claims.yaml").write_text(head + "".join(claims))
    noise = {name: (SEEDS[0], len(SEEDS), value) for name, value in ROWS.items()}
    for (method, seed), rows in simulate(noise).groupby(["method", "seed"]):
        run = run_folder(folder / "runs", method, seed)
        write_json(run / "run.json", {"parameters": {"total": 1000, "trainable": 50}})
        write_predictions(run / "predictions.parquet", rows, {})
    return folder, analyse(folder)


@pytest.fixture
def folder(untouched, tmp_path):
    """Return a copy of the study, to be edited."""
    return Path(shutil.copytree(untouched[0], tmp_path / "study"))


@pytest.fixture
def before(untouched):
    """Return the files that the commands wrote before any edit."""
    return untouched[1]


def analyse(folder):
    """Run the commands; return every file that they write, by its name."""
    out = folder / "out"
    study = ["--study", f"{folder}/study.yaml", "--runs", f"{folder}/runs"]
    tables = ["--summary", f"{out}/summary.csv", "--comparison", f"{out}/comparison.csv"]
    claims = ["--claims", f"{out}/claims.json", "--out-claims", f"{out}/claims.md"]
    for command in (
        [
            "score",
            *study,
            "--out-scores",
            f"{out}/scores.csv",
            "--out-summary",
            f"{out}/summary.csv",
        ],
        ["test", *study, "--out", f"{out}/comparison.csv", "--out-pairs", f"{out}/pairs.csv"],
        ["claims", *study, "--claims", f"{folder}/claims.yaml", "--out-json", f"{out}/claims.json"],
        [
            *("tables", *study, *tables, "--pairs", f"{out}/pairs.csv"),
            *("--out-dir", f"{out}/tables", *claims),
        ],
    ):
        assert main(command) == 0
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_text() for path in files}


def table(files, name, keys):
    """Return a CSV table, every cell as the text that stands in it."""
    rows = [line.split(",") for line in re.sub(r'"[^"]*"', "text", files[name]).splitlines()]
    return pd.DataFrame(rows[1:], columns=rows[0]).set_index(keys)


def changed(before, after, name, keys):
    """Return the keys of the rows of a table that differ, corrected p-values aside."""
    one, other = (table(files, name, keys) for files in (before, after))
    assert one.index.equals(other.index)
    columns = [column for column in one if not column.endswith(tuple(CORRECTED))]
    return set(one.index[(one[columns] != other[columns]).any(axis=1)])


def edit(folder, method, seed, split, value):
    """Replace one prediction of a run on a split, near ±1 and right for every accuracy."""
    file = run_folder(folder / "runs", method, seed) / "predictions.parquet"
    rows = pd.read_parquet(file)
    label, guess = rows["label"], rows["prediction"]
    near_one = guess.abs().between(1.05, 1.4) & label.abs().between(0.6, 1.4)
    row = rows.index[(rows["split"] == split) & near_one & (label * guess > 0)][0]
    rows.loc[row, "prediction"] = np.float32(value(guess[row]))
    write_predictions(file, rows, {})


def across_zero(guess):
    """Return a prediction of the other sign and in another bin: every metric moves."""
    return -3.0 if guess > 0 else 3.0


def a_little_further(guess):
    """Return a prediction of the same sign and in the same bin: no accuracy moves."""
    return 1.001 * guess


@pytest.fixture(scope="module")
def two_results(untouched, tmp_path_factory):
    """Return all files before and after one test prediction of ``late_fusion`` was changed."""
    folder = Path(shutil.copytree(untouched[0], tmp_path_factory.mktemp("edited") / "study"))
    edit(folder, "late_fusion", 13, "test", across_zero)
    return untouched[1], analyse(folder)


SCORE = ["method", "seed", "split", "metric"]


def test_scores_change_for_that_run_and_split_alone(two_results):
    found = changed(*two_results, "scores.csv", SCORE)
    assert found == {("late_fusion", "13", "test", metric) for metric in METRICS}
    found = changed(*two_results, "summary.csv", ["method", "metric"])
    assert found == {("late_fusion", metric) for metric in METRICS}


def test_contrasts_change_for_that_method_alone_and_corrections_follow(two_results):
    found = changed(*two_results, "comparison.csv", ["scope", "metric", "method"])
    assert found == {
        (scope, metric, "late_fusion")
        for scope in ("fixed_set", "population")
        for metric in ("mae", "acc7")
    }
    for files in two_results:
        rows = table(files, "comparison.csv", ["scope", "metric", "method"]).astype(
            {"p": float, "p_adjusted": float}
        )
        for _, family in rows.groupby("scope"):
            assert len(family) == 4
            np.testing.assert_array_equal(family["p_adjusted"], holm_correction(family["p"]))
    tidy = changed(*two_results, "tables/comparison.csv", ["method", "metric"])
    # Of the reference, whether it ties with the best.
    assert tidy - {("finetuned_fusion", "mae")} == {("late_fusion", "mae"), ("late_fusion", "acc7")}


def cells_by_row(page):
    """Return the cells of every row of a page's tables but corrected p, with the row's label."""
    found, heading, label = [], None, ""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells:
            heading = None
        elif heading is None:
            heading = cells
        else:
            label = cells[0] or label  # one label stands above the rows of both scopes
            row = dict(zip(heading, cells, strict=True))
            row.pop("p (adj.)", None)
            found.append((label, row))
    return found


def test_rendered_tables_change_where_that_method_stands(two_results):
    before, after = (cells_by_row(files["tables/comparison.md"]) for files in two_results)
    differing = [label for (label, old), (_, new) in zip(before, after, strict=True) if old != new]
    # Its means; its gain in two metrics at two scopes. Of the reference, whether it ties (bold).
    own = [label for label in differing if label != LABELS["finetuned_fusion"]]
    assert own == 5 * [LABELS["late_fusion"]]
    assert len(differing) <= len(own) + 1


def test_claims_change_that_are_about_that_method(two_results):
    before, after = (json.loads(files["claims.json"]) for files in two_results)
    claims = zip(before.pop("claims"), after.pop("claims"), strict=True)
    by_id = {old["id"]: (old, new) for old, new in claims}
    # When runs were first evaluated, and with which claims, follows from files that were written.
    before.pop("registration"), after.pop("registration")
    assert before == after
    assert {name for name, (old, new) in by_id.items() if estimates(old) != estimates(new)} == {
        "two-three",
        "one-two",
    }
    old, new = by_id["one-three-acc7"]  # in a family without that method
    assert old == new
    old, new = by_id["one-three"]  # with "two-three" in one family
    for claim in (old, new):
        for numbers in claim["scopes"].values():
            for key in [key for key in numbers if key.endswith("_adjusted")]:
                numbers.pop(key)
            numbers["reason"] = numbers["verdict"] = ""
        claim["reason"] = claim["verdict"] = ""
    assert old == new


def estimates(claim):
    return {scope: (own["estimate"], own["se"]) for scope, own in claim["scopes"].items()}


def test_a_prediction_within_its_bin_changes_error_and_correlation_alone(folder, before):
    edit(folder, "amb", 12, "test", a_little_further)
    found = changed(before, analyse(folder), "scores.csv", SCORE)
    assert found == {("amb", "12", "test", metric) for metric in ("mae", "corr")}


def test_a_validation_prediction_changes_no_table_of_the_test_split(folder, before):
    edit(folder, "amb", 12, "valid", across_zero)
    after = analyse(folder)
    found = changed(before, after, "scores.csv", SCORE)
    assert found == {("amb", "12", "valid", metric) for metric in METRICS}
    for name in before.keys() - {"scores.csv"}:
        assert before[name] == after[name], name


def test_the_same_predictions_give_the_same_bytes(folder, before):
    """Otherwise none of the above could be told from noise."""
    edit(folder, "amb", 12, "test", lambda guess: guess)
    assert analyse(folder) == before

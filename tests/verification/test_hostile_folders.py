"""Folders and archives that somebody sent: nothing in them is executed, and nothing gets out."""

from __future__ import annotations

import os
import stat
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amb.errors import InputError
from amb.evaluation.predictions import PREDICTION_SCHEMA
from amb.files import read_json, write_json
from amb.study import digest
from amb.verification import archive, parquet_size
from amb.verification.archive import unpacked
from amb.verification.inputs import LARGEST, copy_inputs
from amb.verification.integrity import check_integrity


def change_study(results, change):
    """Change study.json, with the hash that goes with it."""
    study = read_json(results.folder / "study.json")
    del study["sha256"]
    change(study)
    write_json(results.folder / "study.json", {**study, "sha256": digest(study)})


def test_a_link_that_leaves_the_folder_is_refused(results, tmp_path):
    outside = tmp_path / "outside.json"
    record = results.run("amb", 1111) / "run.json"
    outside.write_bytes(record.read_bytes())
    record.unlink()
    record.symlink_to(outside)
    with pytest.raises(InputError, match=r"run\.json: link: found '.*outside\.json', expected"):
        copy_inputs(results.folder, tmp_path / "copy")


def test_a_folder_of_runs_that_leaves_the_folder_is_refused(results, tmp_path):
    (results.folder / "runs").rename(tmp_path / "runs")
    (results.folder / "runs").symlink_to(tmp_path / "runs")
    with pytest.raises(InputError, match="Links may not leave"):
        copy_inputs(results.folder, tmp_path / "copy")


def test_a_pipe_is_refused_and_not_waited_for(results, tmp_path):
    curve = results.run("amb", 1111) / "curve.csv"
    curve.unlink()
    os.mkfifo(curve)
    with pytest.raises(InputError, match="expected a regular file"):
        copy_inputs(results.folder, tmp_path / "copy")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(results, tmp_path):
    with (results.run("amb", 1111) / "curve.csv").open("r+b") as handle:
        handle.truncate(LARGEST[".csv"] + 1)
    with pytest.raises(InputError, match=r"size: found '16,777,217 bytes'"):
        copy_inputs(results.folder, tmp_path / "copy")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "study.yaml", "a\nb.yaml"]
)
def test_the_claims_of_a_study_are_looked_for_in_its_folder_alone(results, tmp_path, name):
    change_study(results, lambda study: study["statistics"].update(claims=name))
    with pytest.raises(InputError, match=r"study\.json: (statistics.claims|content): found"):
        copy_inputs(results.folder, tmp_path / "copy")


def test_a_claims_file_elsewhere_is_replaced_by_the_one_in_the_folder(results, tmp_path):
    change_study(results, lambda study: study["statistics"].update(claims="../../claims.yaml"))
    inputs = copy_inputs(results.folder, tmp_path / "copy")
    assert inputs.study.claims_file() == tmp_path / "copy" / "config" / "claims.yaml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["methods"].update({"../up": s["methods"].pop("amb")}), "methods: found"),
        (lambda s: s.update(name="../../demo"), "name: found"),
        (lambda s: s.update(extra=1), "extra"),
        (
            lambda s: s["methods"]["amb"].update(seeds=list(range(2000))),
            r"study\.json: seeds.count: found 2000",
        ),
        (lambda s: s["methods"].clear(), "content: found 'ValueError: no methods"),
    ],
)
def test_a_study_that_breaks_the_schema_is_refused(results, tmp_path, change, message):
    change_study(results, change)
    with pytest.raises(InputError, match=message):
        copy_inputs(results.folder, tmp_path / "copy")


def test_no_python_object_is_made_of_yaml(results, tmp_path, pristine):
    from amb.statistics.claims import load_claims

    mark = tmp_path / "executed"
    text = f"!!python/object/apply:os.mkdir ['{mark}']\n"
    (results.folder / "config" / "claims.yaml").write_text(text)
    inputs = copy_inputs(results.folder, tmp_path / "copy")
    with pytest.raises(InputError, match="could not determine a constructor"):
        load_claims(inputs.study.claims_file())
    assert not mark.exists()


def test_yaml_aliases_are_refused(results, tmp_path):
    """Ten lines that each name the one before ten times stand for ten billion values."""
    lines = [
        "a0: &a0 [x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 11)),
    ]
    (results.folder / "config" / "claims.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"claims\.yaml: YAML: found 'the alias \*a0'"):
        copy_inputs(results.folder, tmp_path / "copy")


def test_a_repository_in_the_folder_is_not_asked(results, tmp_path):
    """Git runs commands that a repository's configuration names; the copy has no repository."""
    git = results.folder / "config" / ".git"
    git.mkdir()
    (git / "config").write_text("[core]\n\tfsmonitor = touch executed\n")
    inputs = copy_inputs(results.folder, tmp_path / "copy")
    assert not list(inputs.folder.rglob(".git"))


def test_deeply_nested_json_is_refused(results, tmp_path):
    (results.run("amb", 1111) / "run.json").write_text("[" * 200_000)
    problems = check_integrity(copy_inputs(results.folder, tmp_path / "copy"))
    assert "run.json: JSON: found" in str(problems[0])


def test_a_record_that_is_no_object_and_predictions_that_are_none_are_named(results, tmp_path):
    (results.run("amb", 1111) / "run.json").write_text("[]")
    (results.run("amb", 1112) / "predictions.parquet").write_bytes(b"PAR1nothing")
    problems = check_integrity(copy_inputs(results.folder, tmp_path / "copy"))
    assert [problem.field for problem in problems] == ["content", "file"]


def test_a_prediction_file_of_more_rows_than_predictions_have_is_refused(
    results, tmp_path, monkeypatch
):
    monkeypatch.setattr(parquet_size, "MOST_ROWS", 100_000)
    rows = 100_001  # of one value each: a few hundred bytes
    columns = {
        field.name: pa.array(np.zeros(rows), pa.float32()).cast(field.type)
        if not pa.types.is_string(field.type)
        else pa.array(["x"] * rows)
        for field in PREDICTION_SCHEMA
    }
    file = results.run("amb", 1111) / "predictions.parquet"
    pq.write_table(pa.table(columns), file)
    assert file.stat().st_size < 20_000
    problems = check_integrity(copy_inputs(results.folder, tmp_path / "copy"))
    assert "rows: found '100,001 rows'" in str(problems[0])


def test_a_store_beside_the_runs_must_be_the_one_they_were_trained_on(results, tmp_path):
    write_json(results.folder / "store" / "card.json", {"content_hash": "8" * 64})
    problems = check_integrity(copy_inputs(results.folder, tmp_path / "copy"))
    assert len(problems) == 8
    assert f"store_sha256: found '{'5' * 64}', expected {'8' * 64}" in str(problems[0])


def zipped(path, *members):
    with zipfile.ZipFile(path, "w") as packed:
        for name, mode, content in members:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            packed.writestr(member, content)
    return path


REGULAR, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../escaped", REGULAR, b"x")], "expected a path inside the archive"),
        ([("a/../../escaped", REGULAR, b"x")], "expected a path inside the archive"),
        ([("/escaped", REGULAR, b"x")], "expected a path inside the archive"),
        ([("C:\\escaped", REGULAR, b"x")], "expected a path inside the archive"),
        ([("link", LINK, b"/etc/passwd")], "link: found 'lrwxrwxrwx', expected a regular file"),
        ([("pipe", stat.S_IFIFO | 0o644, b"")], "expected a regular file"),
        ([("a", REGULAR, b"x"), ("a", REGULAR, b"y")], "expected every name once"),
        ([("a", REGULAR, b"x"), ("a/b", REGULAR, b"y")], "expected a zip file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, members, message):
    file = zipped(tmp_path / "sent.zip", *members)
    with pytest.raises(InputError, match=message), unpacked(file):
        pass
    assert sorted(tmp_path.iterdir()) == [file]


def test_an_archive_that_unpacks_to_more_than_a_bundle_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    file = zipped(tmp_path / "sent.zip", ("a", REGULAR, b"x" * 600), ("b", REGULAR, b"x" * 600))
    message = "size: found 'more unpacked', expected at most 1,000"
    with pytest.raises(InputError, match=message), unpacked(file):
        pass


def test_what_is_no_archive_is_refused(tmp_path):
    file = tmp_path / "sent.zip"
    file.write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="expected a zip file"), unpacked(file):
        pass


def test_a_label_that_is_missing_is_named_with_its_file(results, tmp_path):
    from amb.cli.verify import run_quietly
    from amb.verification.rebuild import rebuild

    file = results.run("amb", 1111) / "predictions.parquet"
    metadata = pq.read_schema(file).metadata
    frame = pd.read_parquet(file)
    frame.loc[3, "label"] = np.nan
    table = pa.Table.from_pandas(frame, schema=PREDICTION_SCHEMA, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(metadata), file)
    inputs = copy_inputs(results.folder, tmp_path / "copy")
    failures = rebuild(inputs, tmp_path / "out", run_quietly, figures=False)
    assert f"{file}: column label, utterance" in failures[0].message

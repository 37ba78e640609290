"""A bundle verifies by itself, is alike in every byte, and says nothing that was not found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path, PurePosixPath

import pytest

from amb.cli import main
from amb.cli.verify import run_quietly
from amb.errors import InputError
from amb.files import sha256_of
from amb.publishing.bundle import write_bundle
from amb.verification.verify import verify

VALIDATOR = os.environ.get("AMB_ROC_VALIDATOR")  # a Python that has roc-validator


@pytest.fixture(scope="module")
def bundle(pristine, tmp_path_factory):
    pytest.importorskip("rocrate", reason="extra publish is not installed")
    file = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    write_bundle(pristine.folder, file, run_quietly)
    return file


@pytest.fixture(scope="module")
def unpacked(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def test_a_bundle_has_the_same_bytes_when_packed_again(bundle, pristine, tmp_path):
    write_bundle(pristine.folder, tmp_path / "again.zip", run_quietly)
    assert sha256_of(tmp_path / "again.zip") == sha256_of(bundle)


def test_every_member_of_a_bundle_is_a_plain_file_inside_it(bundle):
    with zipfile.ZipFile(bundle) as archive:
        members = archive.infolist()
    assert len(members) > 100
    for member in members:
        path = PurePosixPath(member.filename)
        assert not path.is_absolute()
        assert not {"..", ""} & set(path.parts)
        assert member.external_attr >> 16 == 0o100644


def test_a_bundle_verifies_as_it_is(bundle):
    verification = verify(bundle, run_quietly, figures=False)
    assert verification.agrees
    assert verification.study == "simulated"


def test_the_metadata_name_every_file_of_the_results_with_its_hash(unpacked):
    graph = json.loads((unpacked / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    for file in (unpacked / "results").rglob("*.*"):
        if file.is_file():
            entity = entities[file.relative_to(unpacked).as_posix()]
            assert entity["sha256"] == sha256_of(file)
    run = entities["#run"]
    assert run["instrument"] == {"@id": "Snakefile"}
    assert {"@id": "results/simulated/config/claims.yaml"} in run["object"]
    assert {"@id": "results/simulated/claims.json"} in run["result"]
    assert {"@id": "https://w3id.org/ro/wfrun/workflow/0.5"} in entities["./"]["conformsTo"]
    assert run["endTime"].startswith(entities["./"]["datePublished"])


@pytest.mark.skipif(
    not VALIDATOR, reason="AMB_ROC_VALIDATOR names no Python with roc-validator and rocrate"
)
def test_the_validator_accepts_the_bundle_as_a_workflow_run_crate(unpacked, tmp_path):
    script = Path(__file__).with_name("validate_crate.py")
    command = [VALIDATOR, str(script), str(unpacked), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_audit_says_what_was_found(unpacked):
    audit = (unpacked / "AUDIT.md").read_text()
    lines = {line.split(" | ")[0].strip("| "): line for line in audit.splitlines() if "|" in line}
    assert "| no | 0 of 8 checkpoints" in lines["Pre-trained models"]
    assert "47 files made again from the predictions and equal" in lines["Functional: exercisable"]
    assert "| partly | source, runs, tables; the data set is not" in lines["Functional: complete"]
    assert "not archived yet" in audit


def test_the_source_in_a_bundle_verifies_it(unpacked):
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-m", "amb", "verify", ".", "--no-figures"]
    done = subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "29 of 47 files agree" in done.stdout


def test_results_that_differ_are_not_packed(results, tmp_path):
    (results.folder / "claims.md").write_text("All reproduced.\n")
    with pytest.raises(InputError, match=r"files: found 'claims\.md', expected what the predict"):
        write_bundle(results.folder, tmp_path / "bundle.zip", run_quietly)
    assert not (tmp_path / "bundle.zip").exists()


def test_without_the_extra_the_message_names_it(results, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    assert main(["bundle", str(results.folder), "--out", str(tmp_path / "bundle.zip")]) == 2
    assert "expected pip install 'amb-suite[publish]'" in capsys.readouterr().err


def test_the_bill_of_materials_keeps_its_standard(unpacked):
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    validator = validation.JsonStrictValidator(SchemaVersion.V1_6)
    text = (unpacked / "sbom.cdx.json").read_text()
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"librarian"')) is not None


def test_the_bill_of_materials_has_what_is_installed_and_who_needs_it(unpacked):
    bill = json.loads((unpacked / "sbom.cdx.json").read_text())
    versions = {part["name"]: part["version"] for part in bill["components"]}
    for name in ("numpy", "torch", "snakemake", "pyarrow", "markupsafe"):
        assert versions[name] == version(name)
    assert not {"pytest", "ruff", "mypy"} & set(versions)
    needed = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert any(ref.startswith("pkg:pypi/markupsafe@") for ref in needed[ref_of("jinja2", versions)])
    suite = bill["metadata"]["component"]
    assert suite["name"] == "amb-suite"
    assert ref_of("pandas", versions) in needed[suite["bom-ref"]]
    licences = {part["name"]: part.get("licenses") for part in bill["components"]}
    assert licences["numpy"][0]["expression"].startswith("BSD-3-Clause")


def ref_of(name, versions):
    return f"pkg:pypi/{name}@{versions[name]}"

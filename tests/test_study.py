"""The study's closed schema: every mistake is named with its key, its value and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from amb.checked_files import schema_path
from amb.errors import InputError
from amb.statistics.claims import load_claims
from amb.study import CONTROLS, CORRUPTION_TARGETS, KNOWN_BUILDERS, digest, load_study

ROOT = Path(__file__).resolve().parent.parent

DEMO = (ROOT / "config" / "demo.yaml").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path):
    def write_study(old: str = "", new: str = ""):
        assert old in DEMO
        file = tmp_path / "study.yaml"
        file.write_text(DEMO.replace(old, new), encoding="utf-8")
        return file

    return write_study


STUDIES = [f for f in sorted((ROOT / "config").glob("*.yaml")) if not f.stem.startswith("claims")]


@pytest.mark.parametrize("file", STUDIES, ids=lambda f: f.stem)
def test_every_shipped_study_is_valid_with_its_claims(file):
    study = load_study(file)
    assert study.name == file.stem
    assert load_claims(study.claims_file()).claims


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "patience: 3",
            "patiense: 3",
            r"training: found 'unknown key patiense', expected only max_",
        ),
        (
            "layers: 2",
            "layer: 2",
            r"backbone: found 'unknown key layer', expected only name, layers",
        ),
        ("count: 6", "count: 0", r"seeds.count: found 0, expected a number of at least 1"),
        (
            "pooling: mean",
            "pooling: max",
            r"backbone.pooling: found 'max', expected one of cls, mean",
        ),
        ("max_epochs: 6", "max_epochs: ten", r"training.max_epochs: found 'ten', .* type integer"),
        ("  max_epochs: 6\n", "", r"training: found 'no max_epochs'"),
        ("reference: finetuned", "reference: x", r"statistics.reference: found 'x_fusion'.* amb,"),
        ("count: 6", "count: 6, count: 3", r"YAML: found .*key .*count.* is given twice"),
        (
            "text: 0.50",
            "text: -0.5",
            r"data.demo.shares.text: found -0.5, expected a number above 0",
        ),
        ("name: demo", "name: ../demo", r"name: found '../demo', expected text that matches"),
        ("schema: 1", "schema: [1", r"YAML: found .*expected a valid YAML file"),
        (
            "amb: {}",
            "amb: {control: shufled_audio}",
            r"methods.amb.control: found 'shufled_audio', expected one of shuffled_audio, "
            r"shuffled_visual, shuffled_text, permuted_labels",
        ),
    ],
)
def test_a_mistake_is_named(write, old, new, message):
    file = write(old, new)
    with pytest.raises(InputError, match=message) as error:
        load_study(file)
    assert str(file) in str(error.value)


GRID = "corruption:\n  draws: 2\n  grid:\n"
GAUSSIAN = "    - {kind: gaussian, targets: [audio, audio+visual], levels: [0, 1]}\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "    - {kind: gaussian, targets: [text], levels: [1]}\n",
            r"corruption.grid.0.targets: found 'text', expected one of audio, visual, "
            r"audio\+visual for gaussian",
        ),
        (
            "    - {kind: missing, targets: [text], levels: [2]}\n",
            r"corruption.grid.0.levels: found 2.0, expected at most 1: the level of missing is a",
        ),
        (
            GAUSSIAN + "    - {kind: gaussian, targets: [audio], levels: [2]}\n",
            r"corruption.grid.1: found 'gaussian of audio twice'",
        ),
        ("    - {kind: blur, targets: [visual], levels: [1]}\n", r"expected one of gaussian, fea"),
        ("    - {kind: gaussian, target: [audio], levels: [1]}\n", r"unknown key target"),
    ],
)
def test_a_mistake_in_the_grid_of_corruptions_is_named(write, lines, message):
    file = write("statistics:\n", GRID + lines + "statistics:\n")
    with pytest.raises(InputError, match=message):
        load_study(file)


def test_a_grid_of_corruptions_changes_nothing_but_itself(write):
    plain = load_study(write())
    assert plain.corruption is None
    assert "corruption" not in plain.resolved()
    study = load_study(write("statistics:\n", GRID + GAUSSIAN + "statistics:\n"))
    assert study.resolved()["corruption"] == {
        "draws": 2,
        "grid": [{"kind": "gaussian", "targets": ["audio", "audio+visual"], "levels": [0.0, 1.0]}],
    }
    assert study.training_view("amb") == plain.training_view("amb")


def test_the_schema_allows_exactly_the_corruptions_that_exist():
    schema = yaml.safe_load(schema_path("study").read_text(encoding="utf-8"))
    entry = schema["properties"]["corruption"]["properties"]["grid"]["items"]["properties"]
    assert tuple(entry["kind"]["enum"]) == tuple(CORRUPTION_TARGETS)
    targets = {target for allowed in CORRUPTION_TARGETS.values() for target in allowed}
    assert set(entry["targets"]["items"]["enum"]) == targets


def test_a_missing_study_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent.yaml: file: found 'no such file'"):
        load_study(tmp_path / "absent.yaml")


def test_every_object_of_the_schemas_is_closed_and_every_key_described():
    for name in ("study", "presets", "claims", "model"):
        schema = yaml.safe_load(schema_path(name).read_text(encoding="utf-8"))
        assert list(_open_or_undescribed(schema, name)) == []


def _open_or_undescribed(node, where):
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _open_or_undescribed(item, f"{where}[{index}]")
    if not isinstance(node, dict):
        return
    partial = re.search(r"\.(if|then)$", where) is not None  # adds to an object closed elsewhere
    if "properties" in node and not partial and node.get("additionalProperties") is not False:
        yield f"{where} is open"
    for key, value in node.get("properties", {}).items():
        if not partial and not {"description", "$ref", "allOf"} & value.keys():
            yield f"{where}.{key} has no description"
    for key, value in node.items():
        yield from _open_or_undescribed(value, f"{where}.{key}")


def test_a_row_overrides_seeds_and_training(write):
    file = write("amb: {}", "amb: {seeds: 3, training: {batch_size: 7}}")
    study = load_study(file)
    assert study.methods["amb"].seeds == (1111, 1112, 1113)
    assert study.methods["amb"].training.batch_size == 7
    assert study.methods["finetuned_fusion"].training.batch_size == 16
    assert study.methods["amb"].label == "AMB"  # of the preset of its own name


def test_training_view_ignores_what_training_does_not_depend_on(write):
    base = load_study(write()).training_view("amb")
    for old, new in [
        ("count: 6", "count: 11"),
        ("reference: finetuned_fusion", "reference: amb"),
        ("finetuned_late: {", "another: {builder: finetuned_late, "),
        ("amb: {}", "amb: {label: Ours}"),
    ]:
        assert digest(load_study(write(old, new)).training_view("amb")) == digest(base)
    for old, new in [("patience: 3", "patience: 5"), ("layers: 2", "layers: 1")]:
        assert digest(load_study(write(old, new)).training_view("amb")) != digest(base)


def test_float32_goes_without_saying_and_bf16_is_another_run(write):
    plain, said, other = (
        load_study(write("amb: {}", f"amb: {{{training}}}")).training_view("amb")
        for training in ("", "training: {precision: float32}", "training: {precision: bf16}")
    )
    assert "precision" not in plain["method"]["training"]
    assert digest(said) == digest(plain)
    assert other["method"]["training"].pop("precision") == "bf16"
    assert other == plain


def test_a_control_is_part_of_what_training_depends_on(write):
    plain = load_study(write())
    assert plain.control_rows() == []
    study = load_study(write("amb: {}", "amb: {control: permuted_labels}"))
    assert [row.name for row in study.control_rows()] == ["amb"]
    assert digest(study.training_view("amb")) != digest(plain.training_view("amb"))
    known = load_study(write("amb: {}", "amb: {}\n  oracle: {builder: label_oracle}"))
    assert [row.known_as for row in known.control_rows()] == ["label_oracle"]


def test_the_schema_allows_exactly_the_controls_that_exist():
    schema = yaml.safe_load(schema_path("study").read_text(encoding="utf-8"))
    row = schema["properties"]["methods"]["additionalProperties"]["properties"]
    assert tuple(row["control"]["enum"]) == CONTROLS
    assert all((ROOT / "baselines" / f"{name}.py").is_file() for name in KNOWN_BUILDERS)


def test_control_rows_are_not_compared_and_are_no_reference(write):
    study = load_study(write("amb: {}", "amb: {}\n  oracle: {builder: label_oracle}"))
    assert "oracle" in study.methods
    assert "oracle" not in study.compared().methods
    with pytest.raises(InputError, match=r"statistics.reference: found 'finetuned_fusion'"):
        load_study(write("finetuned_fusion: {}", "finetuned_fusion: {control: shuffled_text}"))

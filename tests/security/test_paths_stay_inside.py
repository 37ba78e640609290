"""Names out of configs, results and archives never lead out of the folder that they belong to.

Links, pipes, sizes and archives of a results folder: tests/verification/test_hostile_folders.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from amb.cli import main
from amb.data.prepare import prepare_store
from amb.errors import InputError
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ["../x", "/etc/x", "a/b", "..", ".", "", "a\\b", "C:x", "demo\n", "x\x00", "~", "-x", "Ä"]


@pytest.fixture
def study(tmp_path):
    """Write a study with some of its content changed, and read it."""

    def read(change):
        content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
        change(content)
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return load_study(file)

    return read


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_of_a_study_leads_out_of_the_results(study, name):
    with pytest.raises(InputError, match=r"study\.yaml: name: found "):
        study(lambda content: content.update(name=name))


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_of_a_row_leads_out_of_its_runs(study, name):
    with pytest.raises(InputError, match=r"study\.yaml: methods: found "):
        study(lambda content: content["methods"].update({name: {"builder": "amb"}}))


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_of_a_builder_leads_out_of_the_baselines(study, name):
    with pytest.raises(InputError, match=r"methods\.amb\.builder: found "):
        study(lambda content: content["methods"].update(amb={"label": "A", "builder": name}))


@pytest.mark.parametrize("label", ["two\nlines", "bell\x07", "\x1b[2J", "\u202e05", "x\x9b31m"])
def test_no_label_has_characters_that_act(study, label):
    with pytest.raises(InputError, match=r"methods\.amb\.label: found "):
        study(lambda content: content["methods"].update(amb={"label": label, "builder": "amb"}))


@pytest.mark.parametrize("file", ["/etc/passwd", "../secret.csv", "a/../../secret.csv"])
def test_no_data_file_lies_outside_the_data_root(study, tmp_path, file):
    (tmp_path / "secret.csv").write_text("video_id,clip_id,text,label,mode\n")
    data = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": file}}
    own = study(lambda content: content.update(data=data))
    (tmp_path / "data" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match=r"data\.label_csv\.file: found .* below it"):
        prepare_store(own, tmp_path / "data", tmp_path / "store")


def patterns(schema, place=()):
    """Every pattern of a schema, with the keys that lead to it."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "pattern" and isinstance(value, str):
                yield place, value
            else:
                yield from patterns(value, (*place, key))


@pytest.mark.parametrize("file", sorted((ROOT / "workflow" / "schemas").glob("*.yaml")))
def test_every_pattern_of_a_schema_holds_the_whole_text(file):
    for place, pattern in patterns(yaml.safe_load(file.read_text(encoding="utf-8"))):
        assert pattern.startswith("^"), place
        assert pattern.endswith("$"), place
        strict = re.compile(f"{pattern[:-1]}\\Z")
        assert not any(strict.search(name) for name in ("../x", "a\nb")) or "label" in place


@pytest.mark.parametrize("name", ["tables/comparison.md", "claims.json", "figures/comparison.png"])
def test_a_page_quotes_no_file_from_outside_a_folder_that_was_sent(results, tmp_path, name, capsys):
    secret = tmp_path / "secret"
    secret.write_text("| a | b |\n|---|---|\n| key | 1234 |\n")
    target = results / name
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(secret)
    out = tmp_path / "page.html"
    assert main(["page", "--results", str(results), "--out", str(out)]) == 2
    assert f"{name}: link: found '{secret}'" in capsys.readouterr().err
    assert not out.exists()


def test_a_page_quotes_no_file_through_a_folder_that_leads_outside(results, tmp_path, capsys):
    outside = tmp_path / "outside"
    (results / "tables").rename(outside)
    (results / "tables").symlink_to(outside)
    arguments = ["page", "--results", str(results), "--out", str(tmp_path / "page.html")]
    assert main(arguments) == 2
    assert "a file inside the folder" in capsys.readouterr().err

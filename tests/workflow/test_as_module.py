"""The workflow as somebody else's module: from another folder, under other names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from snakemake_command import jobs_in, snakemake

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow
# As snakedeploy writes it: the study is chosen in the user's own config/config.yaml.
SNAKEFILE = """
configfile: "config/config.yaml"

module amb:
    snakefile: "{snakefile}"
    config: config

use rule * from amb as amb_*

rule paper:
    default_target: True
    input: rules.amb_all.input, "notes.txt"
    output: "paper.txt"
    shell: "cat {{input}} > {{output}}"

rule notes:
    output: "notes.txt"
    shell: "echo > {{output}}"
"""


@pytest.fixture
def project(tmp_path):
    """A project of somebody else, in a folder of its own, with a workflow of its own."""
    folder = tmp_path / "their project"
    (folder / "workflow").mkdir(parents=True)
    (folder / "config").mkdir()
    text = SNAKEFILE.format(snakefile=ROOT / "Snakefile")
    (folder / "workflow" / "Snakefile").write_text(text)
    (folder / "config" / "config.yaml").write_text("study: demo\n")
    return folder


def plan(folder, *arguments):
    """What Snakemake would do there: its output."""
    words = ["--cores", "1", "--resources", "gpu=0", "-n", "-p", *arguments]
    done = snakemake(*words, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules_of(text):
    return set(jobs_in(text))


def test_a_shipped_study_is_planned_under_the_users_names_in_the_users_folder(project):
    text = plan(project)
    assert {"paper", "notes", "amb_prepare_data", "amb_train_amb_0"} <= rules_of(text)
    assert not {"train_amb_0", "all"} & rules_of(text)
    assert f"--study {ROOT / 'config' / 'demo.yaml'}" in text
    assert "results/demo/index.html" in text
    assert str(ROOT / "results") not in text


def test_a_study_of_the_users_own_goes_first_and_targets_beside_all_have_their_names(project):
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    content["methods"] = {"amb": {"label": "Ours", "seeds": 1}}
    content["statistics"]["reference"] = "amb"
    (project / "config" / "demo.yaml").write_text(yaml.safe_dump(content))
    shutil.copyfile(ROOT / "config" / "claims.yaml", project / "config" / "claims.yaml")
    text = plan(project, "amb_bundle", "amb_peek")
    assert "--study config/demo.yaml" in text
    assert {"amb_bundle", "amb_peek", "amb_peek_amb"} <= rules_of(text)
    trained = {name for name in rules_of(text) if name.startswith("amb_train_")}
    assert trained == {"amb_train_amb_0"}


def test_the_catalogs_file_says_how_to_use_it():
    file = ROOT / ".snakemake-workflow-catalog.yml"
    usage = yaml.safe_load(file.read_text(encoding="utf-8"))["usage"]
    assert usage["mandatory-flags"]["flags"] in (ROOT / "config" / "README.md").read_text()
    assert usage["report"] is True
    assert not any(usage["software-stack-deployment"].values())
    assert "conda:" not in "".join(p.read_text() for p in (ROOT / "workflow").rglob("*.smk"))

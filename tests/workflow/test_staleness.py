"""What a change makes Snakemake do again, in a study whose outputs are there.

The outputs are empty files that `snakemake --touch` takes for made: what is asked here is what
Snakemake plans, and that rests on what it has recorded of every output, not on its content.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from snakemake_command import jobs_in, snakemake

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow


class FinishedStudy:
    """A copy of the project with a study in it that is finished, as far as Snakemake can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("amb", "baselines", "config", "workflow"):
            ignored = shutil.ignore_patterns("*.pyc", "__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "Snakefile", folder)
        (folder / "profiles").symlink_to("workflow/profiles")
        self.study = folder / "config" / "demo.yaml"
        summary = self.snakemake("--summary").stdout
        for line in summary.splitlines():
            output = folder / line.split("\t")[0]
            if output.is_relative_to(folder / "results" / "demo"):
                output.parent.mkdir(parents=True, exist_ok=True)
                output.touch()
        self.snakemake("--touch", "--forceall")

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = ["--cores", "1", *arguments, "--resources", "gpu=0", "--config", "finish=none"]
        done = snakemake(
            *words, cwd=self.folder, PYTHONPATH=str(self.folder), PYTHONDONTWRITEBYTECODE="1"
        )
        assert done.returncode == 0, done.stderr
        return done

    def planned(self) -> set[str]:
        """The rules that a dry run would do."""
        return set(jobs_in(self.snakemake("-n").stdout)) - {"all"}

    def planned_after(self, file: str, change) -> set[str]:
        """The rules that a dry run would do after a change of a file, which is undone."""
        path = self.folder / file
        content = path.read_text(encoding="utf-8")
        times = path.stat()
        try:
            path.write_text(change(content), encoding="utf-8")
            return self.planned()
        finally:
            path.write_text(content, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return FinishedStudy(tmp_path_factory.mktemp("finished"))


def of(rules, *prefixes):
    return {rule for rule in rules if rule.startswith(prefixes)}


def with_row(name, **row):
    def change(text):
        content = yaml.safe_load(text)
        content["methods"][name] = {**(content["methods"][name] or {}), **row}
        return yaml.safe_dump(content, sort_keys=False)

    return change


def append(text):
    return text + "\n# edited\n"


def test_a_finished_study_has_nothing_to_do(study):
    assert study.planned() == set()


def test_a_changed_recipe_retrains_its_row_alone(study):
    change = with_row("finetuned_late", training={"learning_rate": 2.0e-3})
    rules = study.planned_after("config/demo.yaml", change)
    assert of(rules, "train_") == {"train_finetuned_late_0"}
    assert of(rules, "evaluate_") == {"evaluate_finetuned_late_0"}
    assert {"score_runs", "test_differences", "render_tables"} <= rules
    assert not of(rules, "prepare_")


def test_a_changed_label_redraws_and_trains_nothing(study):
    rules = study.planned_after("config/demo.yaml", with_row("amb", label="Another name"))
    assert {"render_tables", "draw_figures"} <= rules
    assert not of(rules, "train_", "evaluate_", "prepare_", "score_", "test_")


def test_an_edited_caption_makes_the_page_stale_and_nothing_else(study):
    assert study.planned_after("workflow/report/claims.rst", append) == {"write_page"}


def test_an_edited_caption_of_the_tables_redraws_and_computes_nothing(study):
    rules = study.planned_after("amb/reporting/tables/captions.py", append)
    assert {"render_tables", "write_page"} <= rules
    assert not of(rules, "train_", "evaluate_", "prepare_", "score_", "test_", "judge_", "compare_")


def test_an_edited_baseline_retrains_its_own_rows(study):
    rules = study.planned_after("baselines/finetuned_text.py", append)
    assert of(rules, "train_") == {"train_finetuned_text_0"}


def test_an_edited_test_of_differences_retrains_nothing(study):
    rules = study.planned_after("amb/statistics/crossed_bootstrap.py", append)
    assert {"test_differences", "judge_claims", "render_tables"} <= rules
    assert not of(rules, "train_", "evaluate_", "prepare_")


def test_an_edited_command_or_view_makes_nothing_stale(study):
    assert study.planned_after("amb/status/view.py", append) == set()
    assert study.planned_after("amb/cli/train.py", append) == set()

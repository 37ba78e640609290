"""Claims that were edited after the test labels were read are found, with real files and git."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from amb.errors import InputError
from amb.files import read_json, write_json
from amb.registration import (
    QUOTED,
    SETTINGS,
    last_change,
    record_evaluation,
    registration,
)

SHIPPED = yaml.safe_load((Path(__file__).parents[1] / "config" / "claims.yaml").read_text())
BEFORE = "The claims are those that were registered before the test labels were read."


@pytest.fixture
def claims(tmp_path):
    file = tmp_path / "claims.yaml"
    file.write_text(yaml.safe_dump({**SHIPPED, "claims": SHIPPED["claims"][:3]}, sort_keys=False))
    return file


@pytest.fixture
def runs(tmp_path):
    folders = [tmp_path / "runs" / "amb" / f"seed{seed}" for seed in (1, 2)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    return folders


def evaluate(runs, claims):
    for run in runs:
        record_evaluation(run, claims)
        (run / "predictions.parquet").write_text("predictions")


def edit(claims, change):
    content = yaml.safe_load(claims.read_text())
    change(content)
    claims.write_text(yaml.safe_dump(content, sort_keys=False))


def set_time(path, at):
    os.utime(path, (at, at))


def test_before_any_evaluation_nothing_is_late(claims, runs):
    found = registration(claims, runs)
    assert found["edited_after_evaluation"] is False
    assert found["statement"] == "No test labels have been read yet."
    assert found["first_evaluation_at"] is None


def test_registered_claims_stay_so_whatever_the_clock_says(claims, runs):
    evaluate(runs, claims)
    for at in (0, 2**31, 4e9):
        set_time(claims, at)
        set_time(runs[0] / "predictions.parquet", 1)
        found = registration(claims, runs)
        assert found["edited_after_evaluation"] is False
        assert found["statement"] == BEFORE
        assert found["decided_by"] == "content"


def test_comments_and_order_are_no_edits(claims, runs):
    evaluate(runs, claims)
    edit(claims, lambda content: content["claims"].reverse())
    claims.write_text("# a comment\n" + claims.read_text())
    assert registration(claims, runs)["edited_after_evaluation"] is False


@pytest.mark.parametrize(
    ("change", "edited", "withdrawn"),
    [
        (lambda c: c["claims"][0].update(sesoi=0.001), ["amb-beats-finetuned-mae"], []),
        (lambda c: c["claims"].pop(1), [], ["amb-beats-finetuned-acc7"]),
        (lambda c: c.update(alpha=0.1), [SETTINGS], []),
        (
            lambda c: c["claims"][2].update(id="other"),
            ["other"],
            ["amb-parameter-efficient"],
        ),
    ],
)
def test_an_edit_is_named(claims, runs, change, edited, withdrawn):
    evaluate(runs, claims)
    edit(claims, change)
    set_time(claims, 0)  # an old date does not help
    found = registration(claims, runs)
    assert found["edited_after_evaluation"] is True
    assert (found["edited"], found["withdrawn"]) == (edited, withdrawn)
    assert found["statement"].startswith("Edited after the test labels were read: ")
    assert all(name in found["statement"] for name in (*edited, *withdrawn))


def test_an_edit_between_two_runs_and_one_taken_back_are_told_apart(claims, runs):
    evaluate(runs[:1], claims)
    edit(claims, lambda c: c["claims"][0].update(sesoi=0.001))
    evaluate(runs[1:], claims)
    assert registration(claims, runs)["edited"] == ["amb-beats-finetuned-mae"]
    edit(claims, lambda c: c["claims"][0].update(sesoi=0.01))
    assert registration(claims, runs[:1])["edited_after_evaluation"] is False


def test_the_first_note_stays_when_predictions_are_made_again(claims, runs):
    evaluate(runs, claims)
    first = read_json(runs[0] / "evaluated.json")
    edit(claims, lambda c: c["claims"][0].update(sesoi=0.001))
    (runs[0] / "predictions.parquet").unlink()
    evaluate(runs, claims)
    assert read_json(runs[0] / "evaluated.json") == first


def test_published_numbers_are_registered_too(claims, runs):
    published = claims.parent / "published.csv"
    published.write_text("a")
    evaluate(runs, claims)
    published.write_text("b")
    assert registration(claims, runs)["edited"] == [QUOTED]


def test_a_claims_file_that_was_missing_or_broken_registered_nothing(claims, runs):
    record_evaluation(runs[0], claims.parent / "absent.yaml")
    (claims.parent / "broken.yaml").write_text("claims: [")
    record_evaluation(runs[1], claims.parent / "broken.yaml")
    for run in runs:
        found = registration(claims, [run])
        assert found["edited_after_evaluation"] is True
        assert "amb-parameter-efficient" in found["edited"]


def test_without_a_note_the_times_decide(claims, runs):
    for run in runs:
        (run / "predictions.parquet").write_text("of an earlier version")
    set_time(runs[0] / "predictions.parquet", 1_700_000_000)
    set_time(runs[1] / "predictions.parquet", 1_600_000_000)
    set_time(claims, 1_500_000_000)
    found = registration(claims, runs)
    assert (found["edited_after_evaluation"], found["decided_by"]) == (False, "times")
    assert found["first_evaluation_at"] == "2020-09-13T12:26:40+00:00"
    assert found["first_evaluation_at_from"] == "file time"
    assert found["claims_changed_at"] == "2017-07-14T02:40:00+00:00"
    assert found["claims_changed_at_from"] == "file time"
    set_time(claims, 1_650_000_000)
    found = registration(claims, runs)
    assert found["edited_after_evaluation"] is True
    assert "do not tell which claims" in found["statement"]


def test_a_later_note_does_not_hide_that_predictions_were_there(claims, runs):
    (runs[0] / "predictions.parquet").write_text("of an earlier version")
    set_time(runs[0] / "predictions.parquet", 1_600_000_000)
    evaluate(runs[:1], claims)
    record = read_json(runs[0] / "evaluated.json")
    assert record["first_evaluation_at"] == "2020-09-13T12:26:40+00:00"
    assert (record["from"], record["claims"]) == ("file time", None)
    assert registration(claims, runs[:1])["edited_after_evaluation"] is True


def test_times_beyond_the_calendar_do_not_crash(claims, runs):
    evaluate(runs, claims)
    for text in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "x"):
        record = read_json(runs[0] / "evaluated.json")
        write_json(runs[0] / "evaluated.json", {**record, "first_evaluation_at": text})
        with pytest.raises(InputError, match=r"evaluated.json: content"):
            registration(claims, runs)
    (runs[0] / "evaluated.json").unlink()
    for at in (-(2**40), 2**38):  # file systems keep what calendars do not
        set_time(runs[0] / "predictions.parquet", at)
        assert registration(claims, runs[:1])["edited_after_evaluation"] in (True, False, None)
    (runs[0] / "evaluated.json").write_text("{")
    with pytest.raises(InputError, match=r"evaluated.json: content"):
        registration(claims, runs)


def test_a_run_that_was_not_trained_gets_no_note(claims, tmp_path):
    record_evaluation(tmp_path / "runs" / "gone", claims)
    assert not (tmp_path / "runs" / "gone").exists()


def git(folder, *arguments, date="2021-03-04T05:06:07+01:00"):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date},
    )


def test_the_last_change_is_the_commit_where_the_file_is_tracked_and_clean(claims):
    folder = claims.parent
    assert last_change(claims).source == "file time"
    git(folder, "init", "-q")
    assert last_change(claims).source == "file time"  # untracked
    git(folder, "add", "claims.yaml")
    assert last_change(claims).source == "file time"  # not committed
    git(folder, "commit", "-q", "-m", "claims")
    found = last_change(claims)
    assert (found.source, found.at.isoformat()) == ("git commit", "2021-03-04T04:06:07+00:00")
    set_time(claims, 1_700_000_000)  # a checkout changes the file's time, not the commit's
    assert last_change(claims) == found
    claims.write_text(claims.read_text() + "# edited\n")
    assert last_change(claims).source == "file time"


def test_the_command_notes_claims_before_it_reads_labels(tiny, tmp_path):
    from amb.cli import main

    common = ["--study", tiny.file, "--store", tiny.store, "--backbone", tiny.backbone]
    common += ["--method", "late_fusion", "--seeds", 1111, "--runs", tmp_path / "runs"]
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {"late_fusion": {}}
    content["statistics"]["reference"] = "late_fusion"
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    common[1] = study
    for command in ("train", "evaluate"):
        assert main([command, *map(str, common), "--gpus", "0"]) == 0
    run = tmp_path / "runs" / "late_fusion" / "seed1111"
    record = read_json(run / "evaluated.json")
    assert "amb-parameter-efficient" in record["claims"]
    assert (run / "predictions.parquet").stat().st_mtime >= (run / "evaluated.json").stat().st_mtime

"""The states of runs, the training left and what failed, from the files of a results folder."""

from __future__ import annotations

import os
import time

import pytest

from amb.status.runs import State
from amb.status.time_left import TimeLeft
from amb.status.view import time_left_text

AMB = ("amb", 1111)


def test_without_any_results_all_runs_wait(results):
    status = results.status()
    assert status.counts[State.WAITING] == 6
    assert status.time_left is None
    assert status.failed == ()


def test_a_record_makes_a_run_trained_and_predictions_make_it_done(results):
    results.trained(*AMB)
    results.trained("amb", 1112, predicted=True)
    states = results.states()
    assert states[AMB] is State.TRAINED
    assert states["amb", 1112] is State.DONE


def test_a_run_of_other_settings_is_outdated(results):
    results.trained(*AMB, predicted=True, config_sha256="0" * 64)
    assert results.states()[AMB] is State.OUTDATED


def test_a_run_whose_process_lives_is_running(results):
    results.progress(*AMB, os.getpid())
    run = results.status().rows[0].runs[0]
    assert run.state is State.RUNNING
    assert (run.epoch, run.max_epochs) == (6, 20)
    assert run.elapsed_s == pytest.approx(60, abs=5)


def test_a_run_that_is_trained_anew_is_running_though_its_old_record_is_there(results):
    results.trained(*AMB, predicted=True)
    results.progress(*AMB, os.getpid())
    assert results.states()[AMB] is State.RUNNING


def test_a_run_whose_process_is_gone_is_interrupted(results, nobody):
    results.progress(*AMB, nobody)
    run = results.status().rows[0].runs[0]
    assert run.state is State.INTERRUPTED
    assert run.note == "its process is gone; starts anew"


def test_a_run_that_ended_by_an_error_has_failed(results, nobody):
    results.progress(*AMB, nobody, error="RuntimeError: odd")
    run = results.status().rows[0].runs[0]
    assert run.state is State.FAILED
    assert run.note == "RuntimeError: odd"


def test_a_record_counts_more_than_what_a_killed_process_left_beside_it(results, nobody):
    results.progress(*AMB, nobody)
    results.trained(*AMB)
    assert results.states()[AMB] is State.TRAINED


def test_a_loss_that_was_not_finite_is_noted(results):
    results.trained(*AMB, predicted=True, stopped="non-finite loss", best_epoch=2)
    run = results.status().rows[0].runs[0]
    assert run.state is State.DONE
    assert run.note == "non-finite loss: best epoch 2"


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_file_of_a_kept_training_does_no_harm(results, content):
    (results.run(*AMB) / "resume.safetensors").write_bytes(content)
    (results.run("amb", 1112) / "run.json").write_bytes(content)
    assert results.status().counts[State.WAITING] == 6


def test_the_best_of_a_row_is_that_of_any_seed_so_far(results):
    results.trained(*AMB, best_valid_mae=0.65)
    results.progress("amb", 1112, os.getpid(), best_valid_mae=0.61)
    best = [row.best_valid_mae for row in results.status().rows]
    assert best == [0.61, None]


def test_the_time_left_rests_on_finished_runs_of_the_row_and_on_other_rows(results):
    results.trained(*AMB, wall_time_s=100.0)
    results.trained("amb", 1112, wall_time_s=140.0)
    # To come: one run of amb at 120 s, three of a row that nothing is known of.
    left = results.status().time_left
    assert left == TimeLeft(4 * 120.0, 1, 0, from_finished=1, at_most=0, from_others=3)


def test_the_time_left_of_runs_under_way_is_shared_by_their_processes(results):
    parent = os.getppid()
    results.progress(*AMB, os.getpid(), epoch=6, epoch_s=10.0)  # 14 epochs to go: 140 s
    results.progress("amb", 1112, parent, epoch=16, epoch_s=10.0)  # 4 to go: 40 s
    left = results.status().time_left
    assert left.at_once == 2
    assert (left.at_most, left.from_others) == (3, 3)
    # and four runs of 20 epochs of 10 s
    assert left.seconds == pytest.approx((140 + 40 + 4 * 200) / 2)


def test_seeds_of_a_pack_share_an_epoch(results):
    for seed in (1111, 1112, 1113):
        results.progress("amb", seed, os.getpid(), packed=3, epoch=10, epoch_s=30.0)
    results.trained("finetuned_text", 1111, wall_time_s=0.0)
    left = results.status().time_left
    assert left.at_once == 1
    assert left.seconds == pytest.approx(10 * 30.0)


RUNS = [("amb", 1111), ("amb", 1112), ("amb", 1113), ("finetuned_text", 1111),
        ("finetuned_text", 1112)]  # fmt: skip


def test_the_pace_is_that_of_the_runs_that_ended_last(results):
    now = time.time()
    for number, run in enumerate(RUNS):  # one ends every 75 s, and takes 150 s: nearly two at once
        results.trained(*run, wall_time_s=150.0, trained_at=now - 20 - 75 * number)
    left = results.status().time_left
    seen = 5 * 150 / (4 * 75 + 150)
    assert left.paced_by == 5
    assert left.at_once == pytest.approx(seen)
    assert left.seconds == pytest.approx(150 / seen)
    assert "1.7 at a time, as the last 5 runs" in time_left_text(left)


def test_the_pace_counts_what_is_under_way_and_the_time_between_jobs(results):
    now = time.time()
    for number, run in enumerate(RUNS):
        results.trained(*run, wall_time_s=50.0, trained_at=now - 100 - 100 * number)
    results.progress("finetuned_text", 1113, os.getpid(), started=now - 60)
    left = results.status().time_left
    assert left.at_once == pytest.approx((5 * 50 + 60) / 550, rel=0.01)


def test_a_night_between_two_runs_of_the_workflow_is_no_part_of_the_pace(results):
    now = time.time()
    for number, run in enumerate(RUNS):
        night = 30_000 if number > 1 else 0
        results.trained(*run, trained_at=now - 20 - 75 * number - night)
    left = results.status().time_left
    assert (left.at_once, left.paced_by) == (1, 0)


def test_seeds_of_a_pack_show_the_pace_of_one_process(results):
    now = time.time()
    for number, run in enumerate(RUNS):
        pack = [1111, 1112, 1113][: 3 if number < 3 else 2]
        ended = now - 20 if number < 3 else now - 320
        results.trained(*run, wall_time_s=100.0, packed_seeds=pack, trained_at=ended)
    assert results.status().time_left.at_once == pytest.approx(1.0)


def test_a_step_that_failed_is_shown_with_its_log_until_it_is_tried_again(results):
    log = results.folder / "logs" / "train_amb_0.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "amb seed 1111: epoch 1/2\n\namb train: failed: memory ran out\n  in: amb, seeds 1111\n"
        "  what to do: Run fewer seeds at once.\n"
    )
    step = results.status().failed[0]
    assert (step.rule, step.log) == ("train_amb_0", log)
    assert step.failure.where == "amb, seeds 1111"
    assert step.failure.to_do == "Run fewer seeds at once."
    log.write_text("amb seed 1111: epoch 1/2\n")
    assert results.status().failed == ()


def test_the_latest_failure_comes_first(results):
    folder = results.folder / "logs"
    folder.mkdir(parents=True)
    for age, name in ((50, "b"), (10, "c"), (90, "a")):
        (folder / f"{name}.log").write_text("amb tables: error: x: y: found 1, expected 2\n")
        os.utime(folder / f"{name}.log", (1e9 - age, 1e9 - age))
    assert [step.rule for step in results.status().failed] == ["c", "b", "a"]

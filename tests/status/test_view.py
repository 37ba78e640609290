"""How a status looks: on terminals of three widths, without Unicode, in a pipe, and as JSON."""

from __future__ import annotations

import io
import json
import os

import pytest
from rich.console import Console

from amb.cli import main
from amb.status.view import status_lines, status_table

FAILURE = """amb train: failed: the disk is full, or a quota is
  in: finetuned_text, seeds 1111
  what to do: Make room where the results lie.
"""


@pytest.fixture
def busy(results, nobody):
    """A study with a run in every state."""
    results.trained("amb", 1111, predicted=True)
    results.progress("amb", 1112, os.getpid())
    results.trained("amb", 1113, config_sha256="0")
    results.trained("finetuned_text", 1111)
    results.progress("finetuned_text", 1112, nobody)
    results.progress("finetuned_text", 1113, nobody, error="OSError: full")
    log = results.folder / "logs" / "train_finetuned_text_0.log"
    log.parent.mkdir()
    log.write_text(FAILURE)
    return results


def drawn(status, width, encoding="utf-8"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    console.print(status_table(status, console))
    stream.seek(0)
    return stream.read()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_row_has_a_sign_for_each_seed_at_any_width(busy, width):
    text = drawn(busy.status(), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "●▶○" in text
    assert "◐‖✗" in text
    assert "‖ interrupted" in text
    assert "Make room where the results lie." in text
    assert ("Fine-tuned BERT, text only" in text) == (width == 120)
    assert ("finetuned_text " in text) == (width < 120)
    assert ("epoch 6 of 20" in text) == (width > 60)


def test_letters_stand_for_signs_where_the_terminal_has_no_unicode(busy):
    text = drawn(busy.status(), 80, "ascii")
    assert "#>o" in text
    assert "+=x" in text


def test_many_seeds_are_counted(results):
    seeds = list(range(1111, 1161))
    results.resolved["methods"]["amb"]["seeds"] = seeds
    for seed in seeds[:30]:
        results.trained("amb", seed, predicted=True)
    assert "●30 ·20" in drawn(results.status(), 80)


def test_plain_lines_say_the_same_in_words(busy):
    lines = list(status_lines(busy.status()))
    assert lines[0] == (
        "demo: 1 of 6 runs done, 1 trained, 1 running, 1 interrupted, 1 failed, 1 outdated"
    )
    assert lines[1].startswith("amb: 1 done, 1 running, 1 outdated; epoch 6 of 20; best valid")
    assert "finetuned_text: 1 trained, 1 interrupted, 1 failed" in lines[2]
    assert lines[3].startswith("Training left: about ")
    assert "  what to do: Make room where the results lie." in lines


def test_the_command_prints_json_for_programs(busy, study_file, capsys):
    assert main(["status", str(study_file), "--results", str(busy.folder.parent), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["running"] == 1
    run = found["rows"][0]["runs"][1]
    assert (run["state"], run["pid"], run["epoch"]) == ("running", os.getpid(), 6)
    assert found["failed"][0]["what"] == "the disk is full, or a quota is"
    assert found["time_left"]["at_once"] == 1


def test_a_results_folder_is_as_good_as_a_study(busy, study_file, capsys):
    assert (
        main(["study", "--study", str(study_file), "--out", str(busy.folder / "study.json")]) == 0
    )
    assert main(["status", str(busy.folder)]) == 0
    assert capsys.readouterr().out.startswith("demo: 1 of 6 runs done")


def test_watching_ends_when_all_is_done(results, study_file, capsys):
    for row in results.resolved["methods"].values():
        for seed in row["seeds"]:
            results.trained(row["name"], seed, predicted=True)
    given = ["status", str(study_file), "--results", str(results.folder.parent), "--watch"]
    assert main(given) == 0
    assert capsys.readouterr().out.count("demo: 6 of 6 runs done") == 1


def test_a_study_that_is_not_there_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["status", "nothing"]) == 2
    assert "config/nothing.yaml: file: found 'no such file'" in capsys.readouterr().err

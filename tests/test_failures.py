"""What a failed step says last: real errors of the system, each with what to do about it."""

from __future__ import annotations

import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amb.cli import main
from amb.errors import InputError
from amb.failures import explain, failure_text, parse_failure

ROOT = Path(__file__).resolve().parent.parent
STEP = [
    sys.executable,
    "-m",
    "amb",
    "study",
    "--study",
    str(ROOT / "config" / "mosi_sdk.yaml"),
    "--out",
]


def run_step(folder, *before):
    """Write a resolved study into a folder, with a log, and return what the log ends with."""
    log = folder.parent / "record_study.log"
    with log.open("w") as handle:
        done = subprocess.run(
            [*before, *STEP, str(folder / "study.json")],
            stderr=handle,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    lines = log.read_text().splitlines()
    assert done.returncode == 1, lines
    assert lines[0].startswith("Traceback"), "the stack trace stays, above"
    assert f"  log: {log}" in lines
    return parse_failure(lines)


def in_tmpfs(folder, options):
    """The start of a command that sees a small file system of its own at ``folder``."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o {options} none {folder} && exec "$@"'
    before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*before, "true"], capture_output=True).returncode
    ):
        pytest.skip("this system lets nobody mount a file system of his own")
    return before


def test_a_full_disk(tmp_path):
    folder = tmp_path / "full"
    failure = run_step(folder, *in_tmpfs(folder, "size=4k"))
    assert failure.what == "the disk is full, or a quota is"
    assert "Make room" in failure.to_do
    assert "give the same command again" in failure.to_do


def test_a_read_only_file_system(tmp_path):
    folder = tmp_path / "read_only"
    failure = run_step(folder, *in_tmpfs(folder, "ro"))
    assert failure.what == "the file system can only be read"


def test_a_file_size_limit(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    # To a pipe: a log would meet the limit too.
    given = {"stderr": subprocess.PIPE, "text": True, "cwd": ROOT, "preexec_fn": limit}
    done = subprocess.run([*STEP, str(tmp_path / "study.json")], **given)
    assert done.returncode == 1
    assert parse_failure(done.stderr.splitlines()).what == "a file would be larger than is allowed"
    assert "  log: " not in done.stderr


def test_no_permission(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    # Without this root may write anywhere.
    before = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    if before and not shutil.which("setpriv"):
        pytest.skip("no setpriv")
    failure = run_step(folder, *before)
    assert failure.what == "no permission to read or write a file"


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError) as found:
        import optuna  # noqa: F401
    advice = explain(found.value)
    assert advice.what == "the package optuna is not installed"
    assert 'pip install "amb-suite[tune]"' in advice.to_do


def test_memory_on_the_cpu_and_on_the_gpu():
    with pytest.raises(MemoryError) as found:
        bytearray(1 << 60)
    assert explain(found.value).what == "memory ran out"
    on_gpu = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")
    assert "pack=1" in explain(on_gpu).to_do


def test_the_cause_of_an_error_counts():
    error = ValueError("could not be written")
    error.__cause__ = OSError(28, "No space left on device")
    assert explain(error).what == "the disk is full, or a quota is"


def test_what_nobody_expects_keeps_its_words_and_asks_for_a_report():
    failure = parse_failure(failure_text("train", KeyError("x"), "amb", [1, 2]).splitlines())
    assert failure.command == "train"
    assert failure.where == "amb, seeds 1 2"
    assert "report it" in failure.to_do


def test_only_the_seeds_that_failed_are_named():
    error = RuntimeError("x")
    error.add_note("failed seeds: 1112, 1113")
    assert "  in: amb, seeds 1112, 1113\n" in failure_text(
        "train", error, "amb", [1111, 1112, 1113]
    )


def test_output_that_nobody_reads_on_is_no_failure():
    command = [sys.executable, "-m", "amb", "presets"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    process.stdout.close()  # before it has written anything
    assert process.stderr.read() == b""
    assert process.wait() == 141


def test_an_input_error_is_one_line_and_read_back(capsys):
    assert main(["study", "--study", "nowhere.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    failure = parse_failure(lines)
    assert failure.what.startswith("nowhere.yaml: file: found 'no such file'")
    assert "Correct what the line names" in failure.to_do


def test_a_log_that_ends_well_shows_no_failure():
    assert parse_failure(["amb seed 1111: epoch 1/2", "amb seed 1111: best epoch 1"]) is None


def test_a_stack_trace_without_words_is_a_failure_too():
    lines = ["Traceback (most recent call last):", '  File "x.py"', "ValueError: odd"]
    assert parse_failure(lines).what == "ValueError: odd"


def test_an_input_error_travels_between_processes():
    error = InputError("a.csv", "label", 9, "at most 3", "Divide by 3.")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.file, again.field, again.found) == ("a.csv", "label", 9)

"""Commands that can be hurt: started cheaply, killed, limited, and looked after for survivors."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from snakemake_command import COMMAND, PROJECT, environment_for_jobs

from amb.evaluation.predictions import content_digest, read_origin

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 900  # on a busy machine
END_S = 30  # for what was told to end by itself
MIB = 2**20
CONTEXT = multiprocessing.get_context("forkserver")
# What a command would import first; an optimiser imports torch._dynamo.
IMPORTED = [
    *("amb.cli.evaluate", "amb.cli.train", "amb.evaluation.predict", "amb.training.workers"),
    *("amb.model.amb", "torch._dynamo", "pyarrow.dataset", "amb.statistics.scores"),
]
OUTPUTS = ("checkpoint.safetensors", "curve.csv", "run.json", "predictions.parquet")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and what it printed."""

    status: int
    said: str


class Command:
    """A command of ``amb`` in a process of its own, forked from one that has imported torch.

    Args:
        arguments: The command line.
        log: File for what it prints.
        memory: Bytes of address space beyond what the process has at its start; None: any.
        largest_file: Bytes of the largest file that it may write; None: any.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        log: Path,
        memory: int | None = None,
        largest_file: int | None = None,
    ) -> None:
        CONTEXT.set_forkserver_preload(IMPORTED)
        limits = {"memory": memory, "largest_file": largest_file}
        self.log = log
        self.process = CONTEXT.Process(
            target=_run_command, args=([str(a) for a in arguments], log), kwargs=limits
        )
        self.process.start()

    def wait(self, seconds: float = PATIENCE_S) -> Ended:
        """Return how it ended; it must within so many seconds."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"no end: {self.log.read_text()}"
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        return Ended(self.process.exitcode, said)

    def kill_after(self, seconds: float, number: int = signal.SIGKILL) -> Ended:
        """Send a signal after so many seconds, unless it has ended before."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            os.kill(self.process.pid, number)
        return self.wait()


def wait_for(file: Path, command: Command) -> None:
    """Wait until a command has made a file."""
    end = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert command.process.is_alive(), command.wait().said
        assert time.monotonic() < end, f"no {file}"
        time.sleep(0.005)


def amb(arguments: Sequence[str | Path], log: Path, **limits: int) -> Ended:
    """Run a command of ``amb`` to its end."""
    return Command(arguments, log, **limits).wait()


def orphans(seconds: float = END_S) -> int:
    """Return how many processes that commands started live on after so many seconds."""
    server = forkserver._forkserver._forkserver_pid
    return _survivors(lambda pid: _stat(pid)[1] == server, seconds)


def session_orphans(session: int, seconds: float = END_S) -> int:
    """Return how many processes of a session live on after so many seconds."""
    return _survivors(lambda pid: _stat(pid)[3] == session, seconds)


class Snakemake:
    """The workflow in a session of its own, so that all of its processes are known.

    Args:
        folder: The working directory.
        study: The study file.
        targets: Files to make.
        cores: Cores to use.
    """

    def __init__(self, folder: Path, study: Path, targets: Sequence[str], cores: int = 1) -> None:
        command = [*COMMAND, *PROJECT, "--directory", str(folder), *targets, "--cores", str(cores)]
        command += ["--resources", "gpu=0", "--config", f"study={study}", "finish=none"]
        self.log = folder / f"snakemake_{time.monotonic_ns()}.log"
        with self.log.open("w") as handle:
            self.process = subprocess.Popen(
                command,
                stdout=handle,
                stderr=handle,
                env=environment_for_jobs(),
                start_new_session=True,
            )

    def wait(self) -> Ended:
        """Return how it ended."""
        status = self.process.wait(PATIENCE_S)
        return Ended(status, self.log.read_text(errors="replace"))

    def kill_after(self, seconds: float) -> Ended:
        """Kill it alone, not its jobs, after so many seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self.wait()

    def terminate_all_after(self, seconds: float) -> Ended:
        """Send SIGTERM to it and to all of its jobs, as a batch system does."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGTERM)
        return self.wait()


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[Path]:
    """Mount a file system of so many bytes, where this user may; see ``can_mount``."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, mode: str) -> None:
    """Mount a file system anew as ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True)


def why_not_mount(folder: Path) -> str:
    """Return why this user cannot mount; empty where it can."""
    try:
        with mounted(folder / "probe", MIB):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no permission to mount a file system here: {error}"


def fill(folder: Path, free: int) -> Path:
    """Fill a file system up to so many free bytes; return the file that does."""
    filler = folder / "filler"
    with filler.open("wb") as handle:
        while (left := shutil.disk_usage(folder).free - free) > 0:
            handle.write(bytes(min(left, MIB)))
            handle.flush()
    return filler


def flip_a_bit(file: Path, chance: random.Random) -> None:
    """Turn one bit of a file."""
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def truncate(file: Path, chance: random.Random) -> None:
    """Cut off the end of a file."""
    os.truncate(file, chance.randrange(file.stat().st_size))


def differences(folder: Path, undisturbed: Path, names: Sequence[str] = OUTPUTS) -> list[str]:
    """Return the files that stand under their final name with another content than undisturbed.

    Args:
        folder: A folder ``runs``.
        undisturbed: The same of the undisturbed run.
        names: Of the files of a run. Times in records and curves may differ, and are left out.
    """
    odd = []
    for expected in sorted(file for name in names for file in undisturbed.rglob(name)):
        found = folder / expected.relative_to(undisturbed)
        if found.exists() and _without_times(found) != _without_times(expected):
            odd.append(str(found))
    return odd


def missing(folder: Path, undisturbed: Path, names: Sequence[str] = OUTPUTS) -> list[str]:
    """Return the files of the undisturbed run that a folder ``runs`` does not have."""
    files = [file.relative_to(undisturbed) for name in names for file in undisturbed.rglob(name)]
    return [str(file) for file in sorted(files) if not (folder / file).is_file()]


def _without_times(file: Path) -> object:
    if file.name == "curve.csv":
        return [line.rsplit(",", 1)[0] for line in file.read_text(errors="replace").split()]
    if file.suffix == ".parquet":
        try:
            return read_origin(file), content_digest(pq.read_table(file))
        except (OSError, KeyError, pa.ArrowException) as error:
            return str(error)
    if file.name == "run.json":
        try:
            record = json.loads(file.read_text(errors="replace"))
        except ValueError:
            return "no JSON"
        return {key: record[key] for key in ("identity_sha256", "checkpoint_sha256", "best_epoch")}
    return file.read_bytes()


def _survivors(belongs: Callable[[int], bool], seconds: float) -> int:
    end = time.monotonic() + seconds
    while found := [pid for pid in _processes() if _lives_and(belongs, pid)]:
        if time.monotonic() > end:
            for pid in found:
                os.kill(pid, signal.SIGKILL)  # counted, and not left to the next fault
            return len(found)
        time.sleep(0.02)
    return 0


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _lives_and(belongs: Callable[[int], bool], pid: int) -> bool:
    try:
        return _stat(pid)[0] not in "ZX" and belongs(pid)
    except (OSError, IndexError):
        return False


def _stat(pid: int) -> tuple[str, int, int, int]:
    """Return a process's state, parent, group and session."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[2]), int(fields[3])


def _run_command(
    arguments: list[str], log: Path, memory: int | None, largest_file: int | None
) -> None:
    from amb.cli import main

    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(handle, standard)
    if memory is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.exit(main(arguments))

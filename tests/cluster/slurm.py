"""A real Slurm on this machine: munge, a controller and several node daemons with a GPU each.

The GPUs are made up (``/dev/null``), all else is Debian's ``slurm-wlm``. It needs root and a
machine without a Slurm of its own, since jobs look for ``/etc/slurm/slurm.conf``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

CONFIGURATION = Path("/etc/slurm")
MUNGE_KEY = Path("/etc/munge/munge.key")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "munged")
PARTITION = "main"
START_S = 30


def why_not() -> str | None:
    """Return why a Slurm cannot be started here; None if it can."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if missing:
        return f"Slurm is not installed: {', '.join(missing)} not found (`make test-slurm`)"
    if os.geteuid() != 0:
        return "a Slurm for tests is started as root"
    if any((CONFIGURATION / name).exists() for name in ("slurm.conf", "gres.conf")):
        return f"{CONFIGURATION} has a configuration already: this machine has a Slurm of its own"
    return None


@dataclass(frozen=True)
class Job:
    """A job as ``squeue`` shows it, with its time limit in minutes."""

    number: int
    state: str
    rule: str
    node: str
    minutes: int


class Slurm:
    """A cluster, from ``start`` to ``stop``.

    Args:
        state: An empty folder for its files and logs.
        nodes: Number of nodes, each with one GPU.
    """

    def __init__(self, state: Path, nodes: int) -> None:
        self.state = state
        self.nodes = [f"node{number}" for number in range(1, nodes + 1)]
        self._munged: int | None = None

    def start(self) -> None:
        """Start all daemons and wait until every node is idle."""
        self._munged = _start_munge()
        (self.state / "controller").mkdir(parents=True)
        self._configure()
        _run("slurmctld")
        _until("the controller answers", lambda: _output("scontrol", "ping").count("UP") > 0)
        for node in self.nodes:
            (self.state / node).mkdir()
            _run("slurmd", "-N", node)
        _until("all nodes are idle", lambda: set(self.node_states().values()) == {"idle"})

    def stop(self) -> None:
        """End all daemons and jobs, and take the configuration away."""
        subprocess.run(["scancel", f"--user={os.getuid()}"], timeout=START_S, check=False)
        pids = [_read_pid(self.state / f"{name}.pid") for name in [*self.nodes, "controller"]]
        _end([*pids, self._munged])
        for node in self.nodes:
            _kill_jobs_of(node)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURATION / name).unlink(missing_ok=True)

    def jobs(self) -> list[Job]:
        """Return all jobs, those that have ended too, in the order of their numbers."""
        text = _output("squeue", "--states=all", "--noheader", "--format=%i|%T|%k|%N|%l")
        lines = [line.split("|") for line in text.splitlines()]
        jobs = [
            Job(int(number), state, rule.removeprefix("rule_"), node, _minutes(limit))
            for number, state, rule, node, limit in lines
        ]
        return sorted(jobs, key=lambda job: job.number)

    def node_states(self) -> dict[str, str]:
        """Return every node's state (``idle``, ``mixed``, ``drained``, ``down*`` …)."""
        text = _output("sinfo", "--Node", "--noheader", "--format=%N %T")
        return dict(line.split() for line in text.splitlines())

    def restarts(self, job: Job) -> int:
        """Return how often Slurm itself has started a job again."""
        text = _output("scontrol", "show", "job", str(job.number))
        return int(text.split("Restarts=")[1].split()[0])

    def cancel(self, job: Job) -> None:
        """Cancel a job, as another person or the administrator may."""
        _run("scancel", str(job.number))

    def limit(self, job: Job, minutes: int) -> None:
        """Give a job less time than it asked for; Slurm looks twice a minute."""
        _run("scontrol", "update", f"jobid={job.number}", f"timelimit={minutes}")

    def drain(self, node: str) -> None:
        """Let a node finish what it does and begin nothing."""
        _run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")

    def crash(self, node: str) -> None:
        """End a node at once with all that runs on it, as a loss of power does."""
        psutil.Process(_read_pid(self.state / f"{node}.pid")).kill()
        _kill_jobs_of(node)

    def log(self) -> str:
        """Return the end of the controller's log, for a failed test."""
        file = self.state / "controller.log"
        return file.read_text()[-4000:] if file.exists() else "no log"

    def _configure(self) -> None:
        controller, *ports = _free_ports(len(self.nodes) + 1)
        template = Path(__file__).with_name("slurm.conf").read_text(encoding="utf-8")
        text = template.format(
            host=socket.gethostname().split(".")[0],
            state=self.state,
            port=controller,
            nodes=len(self.nodes),
            first=ports[0],
            last=ports[-1],
            partition=PARTITION,
        )
        CONFIGURATION.mkdir(exist_ok=True)
        (CONFIGURATION / "slurm.conf").write_text(text, encoding="utf-8")
        # Slurm wants a device behind each GPU; any will do.
        (CONFIGURATION / "gres.conf").write_text("Name=gpu File=/dev/null\n", encoding="utf-8")


def _minutes(limit: str) -> int:
    """Return a time limit, such as 1-02:03:00, in minutes."""
    days, _, rest = limit.rpartition("-")
    *hours, minutes, _ = map(int, rest.split(":"))
    return 60 * (24 * int(days or 0) + sum(hours)) + minutes


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def _run(name: str, *arguments: str) -> None:
    program = _program(name)
    assert program is not None, name
    subprocess.run([program, *arguments], check=True, timeout=START_S, stdin=subprocess.DEVNULL)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_S)
    return done.stdout


def _until(what: str, holds: Callable[[], bool], seconds: float = START_S) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s: {what}"
        time.sleep(0.1)


def _start_munge() -> int | None:
    """Start munge, which signs what daemons say to each other; None where one runs already."""
    if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
        return None
    if not MUNGE_KEY.exists():
        MUNGE_KEY.write_bytes(secrets.token_bytes(1024))
    for path, mode in (
        (MUNGE_KEY, 0o400), (Path("/run/munge"), 0o755),
        (Path("/var/log/munge"), 0o700), (Path("/var/lib/munge"), 0o700),
    ):  # fmt: skip
        if path != MUNGE_KEY:
            path.mkdir(exist_ok=True)
        shutil.chown(path, "munge", "munge")
        path.chmod(mode)
    _run("runuser", "-u", "munge", "--", str(_program("munged")))
    _until(
        "munge answers", lambda: not subprocess.run(["munge", "-n"], capture_output=True).returncode
    )
    return _read_pid(Path("/run/munge/munged.pid"))


def _read_pid(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() else None


def _end(pids: Sequence[int | None]) -> None:
    """Ask daemons to end, and see to it."""
    processes = [psutil.Process(pid) for pid in pids if pid is not None and psutil.pid_exists(pid)]
    for process in processes:
        process.terminate()
    for process in psutil.wait_procs(processes, timeout=5)[1]:
        process.kill()


def _kill_jobs_of(node: str) -> None:
    """Kill all that Slurm started on a node: first what watches a job, lest it report its end."""
    started = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SLURMD_NODENAME") == node:
                started.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    watchers = {w for p in started for w in p.parents() if w.name().startswith("slurmstepd")}
    below = {c for p in started for c in p.children(recursive=True)}
    for process in [*watchers, *started, *below]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _free_ports(count: int) -> list[int]:
    """Return free ports in a row."""
    for first in range(17000, 30000, count):
        taken = []
        for port in range(first, first + count):
            with socket.socket() as listener:
                try:
                    listener.bind(("127.0.0.1", port))
                except OSError:
                    taken.append(port)
        if not taken:
            return list(range(first, first + count))
    raise RuntimeError("no free ports")

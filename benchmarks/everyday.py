"""Time what a person does all day, and what it costs to begin a training.

    python -m benchmarks.everyday --directory . --beside CHECKOUT

Help, status, a dry run, a run that has nothing to do, a verification, and two runs of one epoch on
a few utterances, trained and evaluated: of these nearly all is the start. The directory holds
``results/`` of the study, finished with today's source, and the study's path begins there; an empty
one serves for all but the run that has nothing to do. With --beside, another checkout of the
project does the same in turn.

The commands are processes of their own, and their first round is not counted. CPU time is that of
a command and all that it starts; on a busy machine wall time says more of the machine. Prints a
Markdown table; --readme puts it into the README here.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from amb.provenance import processor
from benchmarks.readme import replace_section, spread

ROOT = Path(__file__).resolve().parent.parent
NOTHING = "Nothing to be done"
PR_SET_CHILD_SUBREAPER = 36
SEEDS = ("1111", "1112")
Times = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Command:
    """A command, what to call it, and the CPU seconds that it is to stay below on an idle core.

    Attributes:
        name: As the table calls it.
        arguments: The program and its arguments.
        target_s: CPU seconds; None: no target.
        makes: A folder that is emptied before.
    """

    name: str
    arguments: list[str]
    target_s: float | None
    makes: Path | None = None


def commands(checkout: Path, study: Path, folder: Path, small: Path) -> list[Command]:
    """Return the commands to time, as a checkout of the project gives them."""
    amb = [sys.executable, "-m", "amb"]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(checkout / "Snakefile")]
    snakemake += ["--directory", str(folder), "--cores", "1", "--resources", "gpu=0"]
    config = ["--config", f"study={study}", "finish=none"]
    status = [*amb, "status", str(study), "--results", str(folder / "results")]
    reference = str(ROOT / "results" / "reference" / "demo")
    runs = small / "runs"
    job = [*small_inputs(small), "--method", "amb", "--seeds", *SEEDS, "--runs", str(runs)]
    job += ["--gpus", "0", "--workers", "2"]
    return [
        Command("an empty Python program", [sys.executable, "-c", "pass"], None),
        Command("`amb --help`", [*amb, "--help"], 0.5),
        Command("`amb status`", status, 0.5),
        Command("`amb verify` without figures", [*amb, "verify", reference, "--no-figures"], None),
        Command("`amb train`, two tiny runs", [*amb, "train", *job], None, makes=runs),
        Command("`amb evaluate` of them", [*amb, "evaluate", *job], None),
        Command("`snakemake -n`", [*snakemake, "-n", *config], 5.0),
        Command("`snakemake`, nothing to do", [*snakemake, *config], 5.0),
    ]


def small_inputs(small: Path) -> list[str]:
    """Return the arguments that name a small study and its inputs."""
    names = {"--study": "study.yaml", "--store": "store", "--backbone": "backbone"}
    return [part for option, name in names.items() for part in (option, str(small / name))]


def prepare(small: Path) -> None:
    """Make a study of a few utterances and one epoch, its store and its backbone."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["data"]["demo"] |= {
        "videos": {"train": 6, "valid": 3, "test": 4},
        "utterances_per_video": 6,
    }
    content["training"] = {"max_epochs": 1}
    content["statistics"]["claims"] = str(ROOT / "config" / content["statistics"]["claims"])
    (small / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    study, store, backbone = (small_inputs(small)[n : n + 2] for n in (0, 2, 4))
    for command in (["data", "prepare", *study, "--out", store[1]],
                    ["backbone", *study, "--out", backbone[1]]):  # fmt: skip
        subprocess.run([sys.executable, "-m", "amb", *command], check=True, cwd=ROOT)


def measure(command: Command, folder: Path, checkout: Path = ROOT) -> tuple[float, float, str]:
    """Return the CPU and the wall seconds of a command, and what it printed."""
    if command.makes is not None:
        shutil.rmtree(command.makes, ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command.arguments, capture_output=True, text=True, cwd=folder, env=environment
    )
    wall = time.perf_counter() - start
    _wait_for_what_it_left()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command.name} failed:\n{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, done.stdout + done.stderr


def _wait_for_what_it_left() -> None:
    """Wait for processes whose parent has ended; they are ours now, and so is their time."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def table(here: Times, there: Times, listed: list[Command]) -> str:
    """Return medians and ranges as a Markdown table, those of another checkout beside them."""
    columns = ["command", "CPU, s", "wall, s", "target, CPU s"]
    columns += ["there: CPU, s", "×"] if there else []
    lines = [f"| {' | '.join(columns)} |", f"|---{'|---:' * (len(columns) - 1)}|"]
    for command in listed:
        cpu, wall = zip(*here[command.name], strict=True)
        target = "" if command.target_s is None else f"{command.target_s:.1f}"
        cells = [command.name, spread(cpu), spread(wall), target]
        if there:
            other = [seconds for seconds, _ in there[command.name]]
            ratios = [b / a for a, b in zip(cpu, other, strict=True)]
            cells += [spread(other), spread(ratios)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Time the commands and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("config/demo.yaml"))
    parser.add_argument("--directory", type=Path, required=True, help="holds results/")
    parser.add_argument("--beside", type=Path, help="another checkout, which takes turns")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--readme", action="store_true", help="write into benchmarks/README.md")
    args = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as small:
        prepare(Path(small))
        text = compare(args, Path(small))
    print(text)
    if args.readme:
        replace_section("everyday", text)


def compare(args: argparse.Namespace, small: Path) -> str:
    """Time the commands, round by round, and describe what they took."""
    folder = args.directory.resolve()
    checkouts = [ROOT, *([args.beside.resolve()] if args.beside else [])]
    listed = [commands(checkout, args.study, folder, small) for checkout in checkouts]
    plans = zip(checkouts, listed, strict=True)
    if any(NOTHING not in measure(own[-2], folder, checkout)[2] for checkout, own in plans):
        print("These results are not complete: the run that has nothing to do is left out.")
        listed = [own[:-1] for own in listed]
    times: list[Times] = [{command.name: [] for command in listed[0]} for _ in checkouts]
    for counted in range(args.rounds + 1):
        for turn in zip(*listed, strict=True):
            for command, checkout, own in zip(turn, checkouts, times, strict=True):
                cpu, wall, _ = measure(command, folder, checkout)
                if counted:
                    own[command.name].append((cpu, wall))
    other = f" There: commit {commit_of(args.beside)}." if args.beside else ""
    return (
        f"{table(times[0], times[1] if args.beside else {}, listed[0])}\n\nStudy"
        f" {args.study.stem}; medians of {args.rounds} rounds (lowest–highest).{other}"
        f" {processor()}, load {os.getloadavg()[0]:.1f}."
    )


def commit_of(checkout: Path) -> str:
    """Return the short hash of the commit that is checked out."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()

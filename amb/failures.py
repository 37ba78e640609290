"""What a step says last when it fails: what happened, in which runs, where the log is, what to do.

``explain`` finds the words for an error, ``failure_text`` writes the paragraph that ends a log, and
``parse_failure`` reads it back, for ``amb status`` and for the summary of a workflow that failed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# The extra that brings a package which is not everybody's, by the name that it is imported by.
EXTRAS = {
    **dict.fromkeys(("huggingface_hub", "tokenizers", "torch", "transformers"), "train"),
    **dict.fromkeys(("jinja2", "markdown_it", "markupsafe", "matplotlib", "PIL"), "report"),
    **dict.fromkeys(("cyclonedx", "rocrate"), "publish"),
    "optuna": "tune",
    "snakemake": "workflow",
    **dict.fromkeys(("hypothesis", "sklearn", "statsmodels"), "dev"),
}
AGAIN = "Then give the same command again: finished runs are kept, others go on or start anew."
KILLED_BY = "workers ended by: "  # begins the note of an error whose workers were killed
_OUT_OF_MEMORY = (
    *("out of memory", "DefaultCPUAllocator", "Cannot allocate memory", "Unable to allocate"),
    *("CUBLAS_STATUS_ALLOC_FAILED", "std::bad_alloc"),
    # What oneDNN says when it gets no memory for a matrix product.
    *("could not create a primitive", "could not create a memory"),
)
_FULL = ("No space left on device", "StorageFull", "Disk quota exceeded")
_DAMAGED_TYPES = ("SafetensorError", "JSONDecodeError", "ArrowInvalid", "EOFError", "BadZipFile")
_ERRNO_OF_TEXT = re.compile(r"\[Errno (\d+)\]|\(os error (\d+)\)|Os \{ code: (\d+)")
_HEAD = re.compile(r"^amb ([\w-]+): (error|failed): (.*)$")
_LINE = re.compile(r"^  (in|said|log|what to do): (.*)$")


@dataclass(frozen=True)
class Advice:
    """What an error means, and what to do about it."""

    what: str
    to_do: str


@dataclass(frozen=True)
class Failure:
    """The end of a failed step's log, read back.

    Attributes:
        command: Subcommand of ``amb``; empty where the log does not say.
        what: What happened, in a line.
        where: Method and seeds; empty where the step has none.
        to_do: What to do about it.
    """

    command: str
    what: str
    where: str = ""
    to_do: str = ""


INPUT_ADVICE = f"Correct what the line names. {AGAIN}"


def explain(error: BaseException) -> Advice:
    """Say what an error means to someone who wants to go on.

    Args:
        error: Any error but one of the user's input, which explains itself.

    Returns:
        What happened and what to do.
    """
    for one in _chain(error):
        for known in (_killed, _memory, _operating_system, _missing_package, _damaged):
            if advice := known(one):
                return advice
    return Advice(
        "an error that the suite does not expect",
        "The stack trace above says where. If neither your data nor an edit of yours explains it,"
        f" report it with this log. {AGAIN}",
    )


def missing_extra(error: BaseException) -> str | None:
    """Return the extra of the package whose absence an error is about; None: it is about another.

    Args:
        error: Any error.

    Returns:
        The extra's name in ``pyproject.toml``.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    return EXTRAS.get(error.name.split(".")[0])


def failure_text(command: str, error: BaseException, method: str | None, seeds: object) -> str:
    """Write the paragraph that ends the log of a failed step.

    Args:
        command: Subcommand of ``amb``.
        error: What it failed with.
        method: Row of the study, if the step has one.
        seeds: The step's seeds, if it has any.

    Returns:
        Lines for people, which ``parse_failure`` can read.
    """
    advice = explain(error)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    lines = [f"amb {command}: failed: {advice.what}"]
    if where := _where(method, seeds, getattr(error, "__notes__", [])):
        lines.append(f"  in: {where}")
    lines.append(f"  said: {said[:300]}")
    if log := log_of_process():
        lines.append(f"  log: {log}")
    lines.append(f"  what to do: {advice.to_do}")
    return "\n".join(lines)


def parse_failure(lines: Sequence[str]) -> Failure | None:
    """Find the failure that a log ends with.

    Args:
        lines: The last lines of a log.

    Returns:
        What the step said, or what its last line shows where it could say nothing; None where the
        log shows no failure.
    """
    for place in range(len(lines) - 1, -1, -1):
        if found := _HEAD.match(lines[place]):
            matches = [_LINE.match(line) for line in lines[place + 1 :]]
            more = {match[1]: match[2] for match in matches if match}
            known_by_itself = INPUT_ADVICE if found[2] == "error" else ""
            to_do = more.get("what to do", known_by_itself)
            return Failure(found[1], found[3], more.get("in", ""), to_do)
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return Failure("", lines[-1], to_do=f"The log has the stack trace. {AGAIN}")
    return None


def log_of_process() -> Path | None:
    """Return the file that this process's errors go to, None for a terminal or a pipe."""
    try:
        regular = stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)
        path = Path(f"/proc/self/fd/{sys.stderr.fileno()}").readlink()
    except (OSError, ValueError):
        return None
    if not regular or not path.exists():
        return None
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _where(method: str | None, seeds: object, notes: Sequence[str]) -> str:
    """Return the runs that failed: those that a note names, else all of the step."""
    if method is None:
        return ""
    prefix = "failed seeds: "
    named = [note.removeprefix(prefix) for note in notes if note.startswith(prefix)]
    known = " ".join(map(str, seeds)) if isinstance(seeds, (list, tuple)) else ""
    return f"{method}, seeds {named[0] if named else known}".removesuffix(", seeds ")


def _killed(error: BaseException) -> Advice | None:
    if type(error).__name__ != "BrokenProcessPool":  # its module takes a while to import
        return None
    notes = [n for n in getattr(error, "__notes__", []) if n.startswith(KILLED_BY)]
    signals = notes[0].removeprefix(KILLED_BY) if notes else "a signal"
    if signals in ("SIGSEGV", "SIGABRT", "SIGILL", "SIGBUS", "SIGFPE"):
        return Advice(
            f"a worker process crashed ({signals})",
            "The lines above may say in which library. A full disk or /dev/shm can be the cause of"
            f" SIGBUS, a package built for another processor that of SIGILL. {AGAIN}",
        )
    return Advice(
        f"a worker process was killed from outside ({signals})",
        "Most often the machine ran out of memory (`dmesg | grep -i oom` says so): run fewer seeds"
        f" at once with a smaller --cores. A batch system's limits kill too. {AGAIN}",
    )


def _memory(error: BaseException) -> Advice | None:
    text = str(error)
    if not isinstance(error, MemoryError) and not any(sign in text for sign in _OUT_OF_MEMORY):
        return None
    if "CUDA" in text or "GPU" in text:
        return Advice(
            "the GPU's memory ran out",
            "See with nvidia-smi whether another program holds it; pack fewer seeds (--config"
            " pack=1); else a smaller training.batch_size in the study, which is another recipe."
            f" {AGAIN}",
        )
    return Advice(
        "memory ran out",
        "Run fewer seeds at once with a smaller --cores, or close other programs; else a smaller"
        f" training.batch_size in the study, which is another recipe. {AGAIN}",
    )


def _operating_system(error: BaseException) -> Advice | None:
    number = error.errno if isinstance(error, OSError) else None
    found = _ERRNO_OF_TEXT.search(str(error))
    if number is None and found:
        number = int(next(filter(None, found.groups())))
    if number in (errno.ENOSPC, errno.EDQUOT) or any(sign in str(error) for sign in _FULL):
        return Advice(
            "the disk is full, or a quota is",
            f"Make room where the results lie (`df -h .`, `quota`). No file is left half-written."
            f" {AGAIN}",
        )
    return _BY_ERRNO.get(number) if number is not None else None


_PERMISSION = Advice(
    "no permission to read or write a file",
    "The line above names it: make it yours (`ls -l`, `chown`, `chmod`), or write elsewhere with"
    f" `snakemake --directory`. {AGAIN}",
)
_BY_ERRNO = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: Advice(
        "the file system can only be read",
        f"Mount it for writing, or write elsewhere with `snakemake --directory`. {AGAIN}",
    ),
    errno.EFBIG: Advice(
        "a file would be larger than is allowed",
        f"Raise the limit of this shell or batch job (`ulimit -f`). {AGAIN}",
    ),
    errno.EMFILE: Advice(
        "too many files are open",
        f"Raise the limit of this shell or batch job (`ulimit -n`). {AGAIN}",
    ),
    errno.ENOENT: Advice(
        "a file is missing",
        "The line above names it. A file of results/ is made anew by snakemake; one of your data is"
        f" looked for where AMB_DATA_ROOT or --config data_root=… points. {AGAIN}",
    ),
    errno.EIO: Advice(
        "the disk or the network file system gave an error",
        f"Look at the disk (`dmesg`) or ask those who run the file system. {AGAIN}",
    ),
}


def _missing_package(error: BaseException) -> Advice | None:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    package = error.name.split(".")[0]
    if extra := missing_extra(error):
        command = f'pip install "amb-suite[{extra}]", in a checkout make setup'
    else:
        command = 'make setup, or pip install --upgrade "amb-suite[workflow]" in your environment'
    return Advice(f"the package {package} is not installed", f"Install it: {command}. {AGAIN}")


def _damaged(error: BaseException) -> Advice | None:
    if type(error).__name__ not in _DAMAGED_TYPES:
        return None
    return Advice(
        "a file is damaged",
        "The stack trace says which step read it. Delete it: snakemake makes a file of results/"
        f" anew; fetch one of your data again. {AGAIN}",
    )

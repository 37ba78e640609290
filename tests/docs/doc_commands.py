"""The commands of the documentation: every line in a block of code that calls a program."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
        ROOT / "benchmarks" / "README.md",
    ]
)
PROGRAMS = ("amb", "snakemake", "make", "python", "python3", "python3.11", "pip", "git", "sed")
PROGRAMS += ("grep", "rocrate-validator", ".", "export", "hf", "cp", "mkdir", "cd")
PROGRAMS += ("docker", "apptainer", "squeue", "scancel", "sinfo", "scontrol")
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")
SHELL = ("sh", "bash", "shell", "console")


@dataclass(frozen=True)
class Command:
    """A command and the first page that has it; comments are taken off."""

    text: str
    page: str

    @property
    def words(self) -> list[str]:
        """Its words as a shell reads them, without settings of variables before the program."""
        words = shlex.split(self.text)
        while words and ASSIGNMENT.match(words[0]):
            words = words[1:]
        return words


def commands() -> list[Command]:
    """Return the commands of all pages, each once."""
    found: dict[str, Command] = {}
    for page in PAGES:
        for text in _commands_of(page):
            found.setdefault(text, Command(text, page.relative_to(ROOT).as_posix()))
    return list(found.values())


def inline_commands() -> list[Command]:
    """Return what stands in running text as `amb …`, each once."""
    found = {}
    for page in PAGES:
        for block in MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8")):
            for token in block.children or ():
                if token.type == "code_inline" and token.content.startswith("amb "):
                    text = " ".join(token.content.split())
                    found.setdefault(text, Command(text, page.relative_to(ROOT).as_posix()))
    return list(found.values())


def _commands_of(page: Path) -> Iterator[str]:
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        content = token.content.replace("\\\n", " ")
        if token.type == "fence" and token.info in SHELL:
            for line in content.splitlines():
                if not line.strip() or line.startswith("#"):
                    continue
                assert _program(line) in PROGRAMS, f"{page}: `{line}` calls no program we know"
                yield from _parts(line)
        elif token.type == "code_block":
            for line in content.splitlines():
                if _is_command(page, line):
                    yield from _parts(line)


def _is_command(page: Path, line: str) -> bool:
    """Whether a line of an indented block, which may be anything, is a command."""
    words = line.split()
    if not words or line[0].isspace() or any(word.endswith(":") for word in words[:3]):
        return False
    program = _program(line)
    known = program in PROGRAMS or "/bin/" in program
    if not known and shutil.which(program) and len(words) > 1:
        raise AssertionError(f"{page}: does `{line}` call a program? Then name it in PROGRAMS")
    return known


def _program(line: str) -> str:
    return next((word for word in line.split() if not ASSIGNMENT.match(word)), "")


def _parts(line: str) -> Iterator[str]:
    """Split at &&, and take comments off."""
    text = re.sub(r"(^|\s+)#\s.*$", "", line).strip()
    yield from (" ".join(part.split()) if "'" not in part and '"' not in part else part.strip()
                for part in text.split(" && ") if part.strip())  # fmt: skip

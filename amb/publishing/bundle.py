"""A study packed for publication: a Workflow Run RO-Crate in one zip file, alike in every byte.

The bundle is laid out as the repository is, with the source that makes and verifies the results, so
that its two commands are the only ones a reader needs. Texts of real data are not in it.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from amb.errors import InputError
from amb.files import atomic_path, write_text
from amb.publishing.audit import audit_page
from amb.publishing.bill_of_materials import bill_of_materials
from amb.publishing.crate import write_crate
from amb.publishing.facts import LOCKS, Facts, gather
from amb.publishing.parts import copy_made, copy_read
from amb.publishing.readme import bundle_readme
from amb.source_graph import ROOT
from amb.verification.compare import OTHER_BYTES, WRONG
from amb.verification.inputs import Inputs, copy_inputs
from amb.verification.rebuild import RunCommand
from amb.verification.verify import Verification, verify

DOCUMENTS = ("CITATION.cff", "LICENSE", "Snakefile", "pyproject.toml")
SOURCES = {
    "amb": ("*.py", "py.typed", "*.j2", "*.css", "*.js"),
    "baselines": ("*.py",),
    "config/presets": ("*.yaml",),
    "workflow": ("*.smk", "*.yaml", "*.rst"),
}
PAGE = "index.html"
# Of the zip format's first day: archives of equal files have equal bytes.
TIME = (1980, 1, 1, 0, 0, 0)
COMPRESSION_LEVEL = 9


@dataclass(frozen=True)
class Packed:
    """What was packed.

    Attributes:
        files: Number of files.
        quotes_texts: Whether its page quotes the utterances of the data.
        verification: What verifying the results came to.
    """

    files: int
    quotes_texts: bool
    verification: Verification


def write_bundle(
    results: Path, target: Path, run_command: RunCommand, texts: bool = False, date: str = ""
) -> Packed:
    """Verify a finished study and pack it.

    Args:
        results: The results folder.
        target: The zip file to write.
        run_command: Runs a command of ``amb``.
        texts: Whether the page quotes the utterances of real data.
        date: Date of publication, ISO 8601; the day of the last evaluation if empty.

    Returns:
        What was packed.

    Raises:
        InputError: The results are not what their predictions say, or this is no source checkout.
    """
    verification = verify(results, run_command)
    _refuse_what_differs(results, verification)
    with tempfile.TemporaryDirectory(prefix="amb-bundle-") as work:
        inputs = copy_inputs(results, Path(work, "inputs"))
        facts = gather(inputs, verification)
        folder = Path(work, "bundle")
        place = f"results/{facts.study}"
        made = [file.name for file in verification.files]
        quotes_texts = texts or facts.synthetic
        copy_read(inputs, folder / place)
        copy_made(results, folder / place, made)
        # Made of what is in here: without the store, there are no texts to quote.
        shown = results if quotes_texts else folder / place
        run_command(["page", "--results", str(shown), "--out", str(folder / place / PAGE)])
        _copy_source(folder)
        write_text(folder / "sbom.cdx.json", bill_of_materials(_day(facts, date)))
        write_text(folder / "README.md", bundle_readme(facts, quotes_texts))
        write_text(folder / "AUDIT.md", audit_page(facts, folder))
        write_crate(
            folder,
            facts,
            _made(inputs, folder, place, [*made, PAGE]),
            _read(folder, place),
            _day(facts, date),
        )
        count = _pack(folder, target)
    return Packed(count, quotes_texts, verification)


def _refuse_what_differs(results: Path, verification: Verification) -> None:
    odd = [file.name for file in verification.files if file.state in {*WRONG, OTHER_BYTES}]
    if odd or not verification.agrees:
        found = ", ".join(odd) or verification.failures[0].message
        hint = f"See amb verify {results}"
        raise InputError(results, "files", found, "what the predictions say, to the byte", hint)


def _copy_source(folder: Path) -> None:
    """Copy documents, locks and source; an installed package without them is refused."""
    for name in (*DOCUMENTS, *LOCKS):
        if not (ROOT / name).is_file():
            raise InputError(ROOT / name, "file", "no such file", "a checkout of the source")
        shutil.copyfile(ROOT / name, folder / name)
    for place, patterns in SOURCES.items():
        for pattern in patterns:
            for file in sorted((ROOT / place).rglob(pattern)):
                copy = folder / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def _made(inputs: Inputs, folder: Path, place: str, made: list[str]) -> list[str]:
    """Return what the workflow made: runs, then everything right of them."""
    runs = [file.relative_to(folder) for file in sorted((folder / place / "runs").rglob("*.*"))]
    return [*map(Path.as_posix, runs), *(f"{place}/{name}" for name in made)]


def _read(folder: Path, place: str) -> list[str]:
    """Return what the workflow was given."""
    config = sorted((folder / place / "config").iterdir())
    return [*(file.relative_to(folder).as_posix() for file in config), *LOCKS]


def _day(facts: Facts, date: str) -> str:
    day = date or (facts.evaluated_at or "")[:10]
    if not day:
        raise InputError(
            "amb bundle", "--date", "none", "a date: no run says when it was evaluated"
        )
    return day


def _pack(folder: Path, target: Path) -> int:
    """Write a zip file whose bytes depend on the files alone; return how many there are."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for file in files:
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix(), TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            member.create_system = 3
            archive.writestr(member, file.read_bytes(), compresslevel=COMPRESSION_LEVEL)
    return len(files)

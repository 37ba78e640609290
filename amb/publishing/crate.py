"""The metadata of a bundle: a Workflow Run RO-Crate.

Profile: Workflow Run Crate 0.5 on RO-Crate 1.1: which workflow ran, on what, with what result. The
richer Provenance Run Crate asks for times and machines of every step, which are recorded for
training only; these are in the run records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amb.errors import InputError
from amb.files import sha256_of
from amb.publishing.facts import Facts
from amb.source_graph import ROOT

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
METADATA = "ro-crate-metadata.json"
MAIN = "Snakefile"
# Folders of the source: named as one part each. Every file of the results is named by itself.
SOURCE_FOLDERS = ("amb", "baselines", "config", "workflow")
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_LICENCE = "https://spdx.org/licenses/"


def write_crate(folder: Path, facts: Facts, made: list[str], read: list[str], date: str) -> None:
    """Write ``ro-crate-metadata.json`` into a complete bundle.

    Args:
        folder: The bundle.
        facts: What is known of the study.
        made: What the workflow made, as paths in the bundle.
        read: What it was given: study, claims, published numbers, locks.
        date: Date of publication, ISO 8601.

    Raises:
        InputError: The package ``rocrate`` is not installed.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError as error:
        wanted = "pip install 'amb-suite[publish]'"
        raise InputError("amb bundle", "package rocrate", "not installed", wanted) from error
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    crate = ROCrate(version="1.1")
    crate.name = f"{facts.study}: results of the AMB reproducibility suite"
    crate.description = f"{facts.description} {facts.runs} runs, verified when packed.".strip()
    crate.datePublished = date
    crate.license = _context(
        crate, f"{_LICENCE}{citation['license']}", "CreativeWork", name=citation["license"]
    )
    authors = [
        _context(crate, f"#author-{place}", "Organization", name=author["name"])
        for place, author in enumerate(citation["authors"])
    ]
    crate.root_dataset["author"] = authors if len(authors) > 1 else authors[0]
    crate.root_dataset["conformsTo"] = [
        _context(crate, url, "CreativeWork", name=name, version=url.rsplit("/", 1)[1])
        for url, name in PROFILES.items()
    ]
    workflow = crate.add_workflow(folder / MAIN, MAIN, main=True, lang="snakemake")
    workflow["name"] = str(citation["title"])
    workflow["version"] = str(citation["version"])
    workflow["encodingFormat"] = "text/plain"
    workflow["license"] = crate.license
    files = _add_parts(crate, folder)
    action = _context(
        crate,
        "#run",
        "CreateAction",
        name=f"Study {facts.study}",
        description=_run_text(facts),
        actionStatus="http://schema.org/CompletedActionStatus",
        instrument=workflow,
        object=[files[name] for name in read],
        result=[files[name] for name in made],
        **({"endTime": facts.evaluated_at} if facts.evaluated_at else {}),
    )
    crate.root_dataset["mentions"] = action
    crate.metadata.write(folder)


def _add_parts(crate: Any, folder: Path) -> dict[str, Any]:
    """Add every file and source folder of the bundle; return the files by path."""
    for name in SOURCE_FOLDERS:
        if (folder / name).is_dir():
            crate.add_dataset(folder / name, f"{name}/", properties={"name": f"Source: {name}"})
    files = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if name in (MAIN, METADATA) or name.split("/")[0] in SOURCE_FOLDERS:
            continue
        properties: dict[str, Any] = {
            "name": name,
            "contentSize": str(file.stat().st_size),
            "sha256": sha256_of(file),
            "encodingFormat": MEDIA_TYPES.get(file.suffix, "text/plain"),
        }
        if name == "README.md":
            properties["about"] = {"@id": "./"}
        files[name] = crate.add_file(file, name, properties=properties)
    return files


def _context(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    """Add an entity that is no file."""
    from rocrate.model.contextentity import ContextEntity

    entity = crate.add(ContextEntity(crate, identifier, properties={"@type": kind}))
    for key, value in properties.items():
        entity[key] = value
    return entity


def _run_text(facts: Facts) -> str:
    commits = ", ".join(facts.commits)
    text = f"{facts.runs} runs at commit {commits} on {', '.join(facts.devices)}."
    if facts.evaluated_at:
        text += " The end is the last moment that the records tell: test labels were first read."
    return text

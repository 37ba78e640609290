"""What ran, as a software bill of materials: CycloneDX 1.6 (JSON), off the installed packages.

The environment is the one that verified the results when they were packed: the suite with all that
its extras bring, as far as it is installed, each package with the version that was there, its
licence and what it depends on. Tools of development are left out.
"""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING

import amb
from amb.source_graph import ROOT

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

DEVELOPMENT = ("dev", "docs")
_SUITE = "amb-suite"


def bill_of_materials(date: str) -> str:
    """Return the bill of materials of this environment.

    Args:
        date: Date of publication, ISO 8601.

    Returns:
        JSON; equal environments and dates give equal bytes.
    """
    from cyclonedx.output.json import JsonV1Dot6

    bom = _bom(installed_packages(), date)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, _contents(bom))
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    return text + "\n"


def installed_packages() -> dict[str, tuple[Distribution | None, set[str]]]:
    """Follow the requirements of the suite to what is installed of them.

    Returns:
        Every package by its normal name, with the names of those that it requires and that are
        installed; the suite itself has no distribution, as its source need not be installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    wanted += [one for name, own in extras.items() if name not in DEVELOPMENT for one in own]
    direct = dict(_installed(wanted, ()))
    direct.pop(_SUITE, None)
    found: dict[str, tuple[Distribution | None, set[str]]] = {_SUITE: (None, set(direct))}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    todo = [*direct.items()]
    while todo:
        name, (own, asked) = todo.pop()
        if (name, asked) in seen:
            continue
        seen.add((name, asked))
        required = dict(_installed(own.requires or (), asked))
        found[name] = (own, found.get(name, (own, set()))[1] | set(required))
        todo += required.items()
    return found


def _installed(
    requirements: Iterable[str], extras: tuple[str, ...]
) -> Iterator[tuple[str, tuple[Distribution, tuple[str, ...]]]]:
    """Yield the installed ones among requirements that hold here, with the extras asked of them."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for text in requirements:
        one = Requirement(text)
        holds = one.marker is None or any(
            one.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if not holds:
            continue
        try:
            own = distribution(one.name)
        except PackageNotFoundError:
            continue
        yield canonicalize_name(one.name), (own, tuple(sorted(one.extras)))


def _bom(packages: dict[str, tuple[Distribution | None, set[str]]], date: str) -> Bom:
    from cyclonedx.model.bom import Bom

    parts = {name: _component(name, own) for name, (own, _) in packages.items()}
    bom = Bom()
    bom.metadata.timestamp = datetime.fromisoformat(date[:10]).replace(tzinfo=UTC)
    bom.metadata.component = parts[_SUITE]
    for name, (_, required) in sorted(packages.items()):
        if name != _SUITE:
            bom.components.add(parts[name])
        bom.register_dependency(parts[name], [parts[one] for one in sorted(required)])
    return bom


def _component(name: str, own: Distribution | None) -> Component:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    kind = ComponentType.APPLICATION if own is None else ComponentType.LIBRARY
    version = amb.__version__ if own is None else own.version
    purl = PackageURL("pypi", None, name, version)
    component = Component(
        type=kind, name=name, version=version, purl=purl, bom_ref=purl.to_string()
    )
    for licence in _licences(own):
        component.licenses.add(licence)
    return component


def _licences(own: Distribution | None) -> Iterator[object]:
    """Yield what a package states: an expression of SPDX, else the names of its classifiers."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression

    if own is None:
        yield LicenseExpression("MIT")
        return
    if expressions := own.metadata.get_all("License-Expression"):
        yield LicenseExpression(expressions[0])
        return
    stated = own.metadata.get_all("Classifier") or []
    names = {line.split(" :: ")[-1] for line in stated if line.startswith("License ::")}
    yield from (DisjunctiveLicense(name=name) for name in sorted(names))


def _contents(bom: Bom) -> str:
    """Return what tells two bills apart: the day and every package with its version."""
    moment = bom.metadata.timestamp.isoformat()
    return "\n".join([moment, *sorted(str(part.purl) for part in bom.components)])

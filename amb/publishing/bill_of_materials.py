"""The locked packages as a software bill of materials, in CycloneDX 1.6 (JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import amb


def bill_of_materials(pins: Mapping[str, str]) -> dict[str, Any]:
    """Return the bill of materials.

    Args:
        pins: Packages of the lock with their versions.

    Returns:
        JSON-able values; no serial number and no time, so that equal locks give equal bytes.
    """
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("application", "amb-suite", amb.__version__)},
        "components": [
            _component("library", name, pins[name]) for name in sorted(pins, key=str.lower)
        ],
    }


def _component(kind: str, name: str, version: str) -> dict[str, str]:
    normal = name.lower().replace("_", "-").replace(".", "-")
    purl = f"pkg:pypi/{normal}@{version}"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}

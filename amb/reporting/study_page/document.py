"""The page put together: everything is gathered, laid out by templates and written as one file.

Nothing in the file comes from elsewhere: style, program, images and data are inside, and its
security policy names the only style and the only program that a browser may use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from amb.files import write_text
from amb.reporting.inputs import read_object
from amb.reporting.study_page.figure_list import read_figures
from amb.reporting.study_page.folder import StudyFolder
from amb.reporting.study_page.origins import origins_of
from amb.reporting.study_page.report_captions import seed_range
from amb.reporting.study_page.seeds import seed_payload
from amb.reporting.study_page.table_list import read_tables
from amb.reporting.study_page.unbroken import unbroken
from amb.reporting.study_page.utterances import Utterances, read_utterances, utterance_payload
from amb.reporting.study_page.variants import variant_payload
from amb.reporting.study_page.verdict_cards import verdicts_of

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base.css", "layout.css", "verdicts.css", "tables.css", "explorers.css", "print.css")
PROGRAMS = (
    *("core.js", "navigation.js", "tables.js", "figures.js"),
    *("variants.js", "seed_plots.js", "seeds.js", "utterances.js", "start.js"),
)
MOST_BYTES = 5_000_000
RESERVE = 20_000  # punctuation and names that the utterances' estimate does not see
# What would end a script element or is a line break to older programs: all of it stays data.
_UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def write_page(target: Path, folder: StudyFolder) -> None:
    """Write a study's page.

    Args:
        target: The HTML file.
        folder: The results folder.
    """
    write_text(target, render_page(folder))


def render_page(folder: StudyFolder, most_bytes: int = MOST_BYTES) -> str:
    """Return a study's page as HTML.

    Args:
        folder: The results folder.
        most_bytes: Size that the page must not exceed; utterances are left out for it, those on
            which the methods agree most first.

    Returns:
        The document.
    """
    file = folder.path / "claims.json"
    origin = "the file that amb claims writes"
    tested = read_object(file, "claims", list, origin) if file.is_file() else None
    utterances = read_utterances(folder)
    context = {
        "study": folder.study,
        "verdicts": verdicts_of(tested) if tested else None,
        "tables": read_tables(folder.path),
        "figures": read_figures(folder),
        "origins": origins_of(folder, tested),
        "compared": folder.compared,
        "seed_range": seed_range(folder, folder.compared),
        "utterances": utterances,
    }
    data = {
        "study": folder.name,
        "labels": folder.labels,
        "seeds": seed_payload(folder),
        "variants": variant_payload(folder),
        "utterances": None,
    }
    rest = len(_document(context, data).encode())
    if utterances is not None:
        data["utterances"] = utterance_payload(utterances, most_bytes - RESERVE - rest)
    return _document({**context, "kept": _kept(data, utterances)}, data)


def json_for_script(value: Any) -> Markup:
    """Return JSON that is safe inside a script element, whatever texts are in it.

    Args:
        value: JSON-able values; NaN is refused.

    Returns:
        JSON in which no character can end the element.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(re.sub("[<>&\u2028\u2029]", lambda found: _UNSAFE[found[0]], text))


def _document(context: dict[str, Any], data: dict[str, Any]) -> str:
    style, program = _joined(STYLES), f'(() => {{\n"use strict";\n{_joined(PROGRAMS)}}})();\n'
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    return environment.get_template("page.html.j2").render(
        {"kept": 0, **context},
        data=json_for_script(data),
        has=data,
        style=Markup(style),
        program=Markup(program),
        policy=_policy(style, program),
    )


def _joined(names: Sequence[str]) -> str:
    return "".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, program: str) -> str:
    """Return the security policy: no network, one style, one program."""
    sources = {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": _hash_source(style),
        "script-src": _hash_source(program),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in sources.items())


def _hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _kept(data: dict[str, Any], utterances: Utterances | None) -> int:
    return len(data["utterances"]["ids"]) if utterances is not None else 0

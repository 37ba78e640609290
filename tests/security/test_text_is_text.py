"""Texts of data, studies and claims are shown as they stand, in every form of output.

The page in a browser, with hostile utterances: tests/reporting/study_page/test_page_browser.py.
"""

from __future__ import annotations

import html
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from docutils.core import publish_parts
from markdown_it import MarkdownIt
from rich.console import Console

from amb.cli import main
from amb.cli.verify import run_quietly
from amb.errors import InputError
from amb.files import read_json, write_json
from amb.printable import REPLACEMENT, printable
from amb.reporting.markup import latex, markdown, restructured_text
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.terminal import rich_table
from amb.study import digest
from amb.verification.inputs import copy_inputs
from amb.verification.rebuild import rebuild

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = [
    "<script>alert(1)</script>",
    "</td><img src=x onerror=alert(1)>",
    "[link](javascript:alert(1)) ![i](x)",
    "a | b ||| `code` **bold** ~~no~~ &lt;b&gt;",
    r"\input{/etc/passwd} \write18{id} $x^{ %",
    "`x <javascript:alert(1)>`_ |sub| :raw:`x` *y*",
    "{{ 7 * 7 }} {% raw %} ${1+1}",
    "[bold red]red[/] [link=file:///etc]x[/link]",
    '"; DROP TABLE x; --',
    "=HYPERLINK(0)",
]
ESCAPES = ["\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u202e5.0", "\r0.1", "a\x00b", "\u2028x"]
# What our tables and pages are set with; nothing else may follow a backslash.
COMMANDS = {
    *("addlinespace", "allowbreak", "alpha", "begin", "beta", "bfseries", "bottomrule"),
    *("caption", "centering", "cmidrule", "dagger", "delta", "downarrow", "end", "footnotesize"),
    *(
        "geq",
        "label",
        "ldots",
        "leq",
        "makebox",
        "midrule",
        "multicolumn",
        "neq",
        "noindent",
        "par",
        "pm",
    ),
    *("raggedright", "rho", "rightarrow", "scriptsize", "setlength", "smallskip", "tabcolsep"),
    *("tabularnewline", "textasciicircum", "textasciitilde", "textbackslash", "textbf"),
    *("textwidth", "times", "toprule", "uparrow", "usepackage"),
}


class Tags(HTMLParser):
    """The elements and attributes of a document, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    def acting(self):
        """Elements and attributes by which a text could act."""
        found = [tag for tag, _ in self.tags if tag in ("script", "iframe", "object", "base")]
        for _, attributes in self.tags:
            found += [name for name in attributes if name.startswith("on")]
            links = (attributes.get("href") or "", attributes.get("src") or "")
            found += [link for link in links if link.lstrip().startswith(("javascript:", "//"))]
        return found


@pytest.mark.parametrize("text", ATTACKS)
def test_markdown_shows_the_text(text):
    grid = Grid((Column("A"), Column("B")), ((text, "x"),))
    shown = MarkdownIt("commonmark").enable("table").render(markdown.render_table(grid))
    document = Tags(shown)
    assert {tag for tag, _ in document.tags} <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert " ".join(text.split()) in document.text


@pytest.mark.parametrize("text", ATTACKS)
def test_restructured_text_shows_the_text(text):
    source = f"Compared with {restructured_text.escape(text)}: Welch's t-test."
    settings = {"report_level": 1, "halt_level": 2}  # a markup error is an error
    document = Tags(publish_parts(source, writer="html", settings_overrides=settings)["fragment"])
    assert {tag for tag, _ in document.tags} <= {"p"}
    assert text in document.text.replace("’", "'")


@pytest.mark.parametrize("text", ATTACKS)
def test_latex_shows_the_text(text):
    source = latex.escape(text)
    assert set(re.findall(r"\\([A-Za-z]+)", source)) <= COMMANDS
    bare = re.sub(r"\\[{}$&%#_]|\\[a-z]+\{\}|\$(?:<|>|\||[-'])\$", "", source)
    assert not set(bare) & set("\\{}$&%#_^~")


@pytest.mark.parametrize("text", [*ATTACKS, *ESCAPES])
def test_the_terminal_shows_the_text(text):
    grid = Grid((Column("A"),), ((text,),))
    output = io.StringIO()
    Console(file=output, width=200, force_terminal=True, color_system=None).print(rich_table(grid))
    printed = output.getvalue()
    assert printed == printable(printed)
    if text in ATTACKS:
        assert text in printed


@pytest.mark.parametrize("text", ESCAPES)
def test_no_form_of_output_keeps_a_character_that_acts(text):
    for escape in (markdown.escape, latex.escape, restructured_text.escape, printable):
        shown = escape(f"a{text}b")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", shown)
    assert REPLACEMENT in printable(text)


def test_spaces_and_lines_are_kept():
    assert printable("1\u202f000 ±\u00a02\n\tß 中 é") == "1\u202f000 ±\u00a02\n\tß 中 é"


def test_a_message_about_a_file_moves_no_cursor(monkeypatch, capsys):
    def fail(_):
        raise InputError("x.zip", "name \x1b]0;owned\x07", "a", "b")

    monkeypatch.setattr("amb.cli.show.run", fail)
    assert main(["show", "x"]) == 2
    assert capsys.readouterr().err == (
        f"amb show: error: x.zip: name {REPLACEMENT}]0;owned{REPLACEMENT}: found 'a', expected b\n"
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Everything that is made of a study whose labels, description and claims attack."""
    folder = tmp_path_factory.mktemp("hostile")
    inputs = copy_inputs(ROOT / "results" / "reference" / "demo", folder / "copy")
    study = read_json(inputs.folder / "study.json")
    del study["sha256"]
    study["description"] = ATTACKS[0]
    for row, label in zip(study["methods"].values(), ATTACKS[1:], strict=False):
        row["label"] = label[:60]
    write_json(inputs.folder / "study.json", {**study, "sha256": digest(study)})
    claims = inputs.folder / "config" / "claims.yaml"
    content = yaml.safe_load(claims.read_text(encoding="utf-8"))
    for claim, text in zip(content["claims"], ATTACKS, strict=False):
        claim["statement"] = text
    claims.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    again = copy_inputs(inputs.folder, folder / "again")
    out = folder / "results"
    assert rebuild(again, out, run_quietly, figures=False) == []
    for name in ("study.json", "runs", "config"):
        (out / name).symlink_to(again.folder / name)
    page = ["page", "--study", str(again.study.file), "--results", str(out)]
    run_quietly([*page, "--out", str(out / "index.html")])
    return out


def test_no_page_of_a_hostile_study_has_an_element_of_its_texts(hostile):
    pages = sorted(hostile.rglob("*.html"))
    assert len(pages) > 5
    for page in pages:
        document = Tags(page.read_text(encoding="utf-8"))
        own = ["script", "script"] if page.name == "index.html" else []
        assert document.acting() == own, page.name
    shown = html.unescape((hostile / "tables" / "comparison.html").read_text(encoding="utf-8"))
    assert ATTACKS[1] in shown


def test_no_table_of_a_hostile_study_has_a_command_of_its_texts(hostile):
    files = sorted(hostile.rglob("*.tex"))
    assert len(files) > 3
    for file in files:
        text = file.read_text(encoding="utf-8").replace("\\\\", "")  # ends of lines
        commands = set(re.findall(r"\\([A-Za-z]+)", text))
        assert commands <= COMMANDS, file.name

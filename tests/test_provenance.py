"""An edit makes stale what depends on it and nothing else, as the imports have it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amb import provenance
from amb.cli import COMMANDS
from amb.source_graph import files_behind, imported_files, module_file, module_name

ROOT = Path(__file__).resolve().parent.parent
# What commands import beside what their results follow from: how work is shared and shown.
AROUND = {
    "amb.training.workers": "which process trains which seed; a run's bits do not depend on it",
    "amb.training.packs": "how many seeds train as one model: equal to rounding, and recorded",
    "amb.training.progress": "bars and lines",
    "amb.training.check": "of train: refuses a method at fault; a run's bits do not depend on it",
    "amb.data.store": "of prepare: prints what has been written",
    "amb.registration": "of evaluate: notes what is claimed, and changes no prediction",
}
# The first follows from the study alone, which has a digest of its own; the second has no output.
WITHOUT_SOURCE = {"record_study", "verify"}
STEPS = """
import json, sys
from pathlib import Path
from amb import provenance as p

def digests():
    p.source_digest.cache_clear()
    steps = {n.removesuffix("_SOURCES").lower(): p.source_digest(*getattr(p, n))
             for n in dir(p) if n.endswith("_SOURCES") and n != "NO_SOURCES"}
    return {**steps, **{n: p.training_digest(n) for n in ("amb", "finetuned_text", "misa", "tfn")}}

before, stale = digests(), {}
for edited in sys.argv[1:]:
    file = Path(edited)
    content = file.read_bytes()
    file.write_bytes(content + b"# edited\\n")
    stale[edited] = [name for name, digest in digests().items() if digest != before[name]]
    file.write_bytes(content)
print(json.dumps([before, stale]))
"""


def rules():
    """Yield each rule that calls our command line: its name, the command, the text."""
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        parts = re.split(r"^ *rule ?(\w*):\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if found := re.search(r"python -m amb ([\w-]+)((?: [a-z][\w-]*)*)", text):
                rule = name or re.search(r'f?"(\w+?)_?\{', text)[1]
                yield rule, found[1], found[2].split(), text


def sources_of(text):
    """The sources that a rule digests, as its text names them."""
    names = re.findall(r"provenance\.(\w+_SOURCES)", text)
    found = [source for name in names for source in getattr(provenance, name)]
    found += re.findall(r'"(amb/[\w/.]+)"', text)
    if "training_digest" in text:
        found += [*provenance.TRAINING_SOURCES, "amb/model/amb.py"]
    return found


def imports_of_command(command, subcommand):
    """The files that a command imports: of one with subcommands, those of its function."""
    file = module_file(COMMANDS[command])
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if not subcommand:
        return (*imported_files(file), *tasks_named_in(tree))
    name = f"_{subcommand[0].replace('-', '_')}"
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and name.startswith(n.name)]
    assert functions, f"{file}: no function {name}"
    imported = [n for n in ast.walk(functions[0]) if isinstance(n, ast.ImportFrom)]
    names = {n.module for n in imported} | {
        f"{n.module}.{a.name}" for n in imported for a in n.names
    }
    return [path for name in names if (path := module_file(name))]


def tasks_named_in(tree):
    """The files of the functions that a command names for its workers to import."""
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    named = [re.fullmatch(r"(amb(?:\.\w+)+):\w+", str(text)) for text in texts]
    return [module_file(found[1]) for found in named if found]


RULES = list(rules())


@pytest.mark.parametrize(
    ("rule", "command", "subcommand", "text"), RULES, ids=[r[0] for r in RULES]
)
def test_the_digest_of_a_rule_covers_what_its_command_imports(rule, command, subcommand, text):
    if rule in WITHOUT_SOURCE:
        assert "provenance" not in text
        return
    covered = set(files_behind(sources_of(text), provenance.NO_SOURCES))
    missing = {
        module_name(file)
        for file in imports_of_command(command, subcommand)
        if file not in covered and file.stem != "__init__"
    }
    missing = {name for name in missing if not belongs(name, provenance.NO_SOURCES)}
    assert missing <= set(AROUND), f"{rule}: an edit there would leave its results as they are"


def belongs(name, packages):
    return any(name == one or name.startswith(f"{one}.") for one in packages)


def test_what_workers_import_is_looked_at():
    tree = ast.parse((ROOT / "amb" / "cli" / "train.py").read_text(encoding="utf-8"))
    found = {module_name(file) for file in tasks_named_in(tree)}
    assert found == {"amb.training.run", "amb.training.check"}


def test_all_rules_are_looked_at():
    text = "".join(f.read_text() for f in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert len(RULES) == text.count('"python -m amb ')


def test_what_is_left_out_exists():
    for name in (*provenance.NO_SOURCES, *AROUND):
        assert module_file(name) is not None, name


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for package in ("amb", "baselines", "workflow/report"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.pyc"))
    return folder


def digests(folder, *edited):
    """The digests of all steps, and the steps that an edit of each file makes stale."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", STEPS, *edited]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TRAINED = {"training", "amb", "finetuned_text", "misa", "tfn"}
PREDICTED = {"evaluation", "corruption", "fusion_norms"}
BUILT = {*TRAINED, *PREDICTED, "timing", "check"}
SCORED = {"statistics", "claims", "reporting", "figure", "page"}


EDITS = {
    "baselines/misa.py": {"misa"},
    "amb/training/optimiser.py": BUILT,
    "amb/data/batches.py": BUILT,
    "amb/data/formats/csd.py": {"data"},
    "amb/evaluation/corruption/encoders.py": {"corruption", "check"},
    "amb/data/contract.py": {"data", *BUILT},
    "amb/evaluation/fusion_norms.py": {"fusion_norms"},
    "amb/model/adapter.py": {"amb", "finetuned_text"},  # of text alone, for its adapter rows
    "amb/model/backbone_source.py": {"backbone"},
    "amb/evaluation/predict.py": PREDICTED,
    "amb/evaluation/corrupt.py": {"corruption"},
    "amb/evaluation/metrics.py": SCORED,
    "amb/statistics/crossed_bootstrap.py": {"statistics", "claims", "reporting"},
    "amb/registration.py": {"claims"},
    "amb/reporting/tables/captions.py": {"reporting"},
    "amb/reporting/figures/effects.py": {"figure"},
    "amb/reporting/study_page/seeds.py": {"page"},
    "amb/reporting/study_page/assets/tables.css": {"page"},
    "workflow/report/effects_figure.rst": {"page"},
    "amb/timing/steps.py": {"timing"},
    "amb/training/progress.py": set(),
    "amb/training/workers.py": set(),
    "amb/heartbeat.py": set(),
    "amb/status/view.py": set(),
    "amb/data/inspection/report.py": set(),
}


@pytest.fixture(scope="module")
def stale_after(copy):
    return digests(copy, *EDITS)[1]


@pytest.mark.parametrize("edited", EDITS)
def test_an_edit_makes_stale_what_depends_on_it_and_nothing_else(stale_after, edited):
    assert set(stale_after[edited]) == EDITS[edited]


def test_a_module_that_is_newly_imported_counts_from_then_on(copy):
    user, new = copy / "amb/reporting/tables/captions.py", copy / "amb/evaluation/new.py"
    content = user.read_bytes()
    new.write_text("A = 1\n")
    unused, _ = digests(copy)
    user.write_bytes(content + b"\ndef f():\n    from amb.evaluation import new\n")
    used, _ = digests(copy)
    new.write_text("A = 2\n")
    edited, _ = digests(copy)
    user.write_bytes(content)
    new.unlink()
    assert unused["reporting"] != used["reporting"] != edited["reporting"]
    assert used["statistics"] == edited["statistics"]

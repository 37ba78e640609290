"""Nothing in the source can run what a file holds: read off its syntax, call by call."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from amb import checked_files

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(file for name in ("amb", "baselines") for file in (ROOT / name).rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
# Modules that build objects of what they read, or run it.
MODULES = {
    *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"),
    *("jsonpickle", "dbm", "code", "codeop", "runpy", "imp"),
}
# Calls that do the same, by the last names of what is called.
CALLS = {
    *("torch.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle", "to_pickle"),
    *("torch.hub.load", "torch.jit.load", "torch.package.PackageImporter", "os.system", "os.popen"),
    *("os.execv", "os.execve", "os.execvp", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"),
    *("yaml.unsafe_load_all", "yaml.full_load_all", "np.fromregex", "pd.eval", "DataFrame.eval"),
    *("importlib.machinery.SourceFileLoader", "importlib.util.spec_from_file_location"),
}
BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
# What builds a module's name at run time, each with what limits the name.
IMPORTS_BY_NAME = {
    "amb/cli/__init__.py",  # a value of COMMANDS
    "amb/model/method.py",  # BUILDER_NAME, and a file of baselines/
}
SAFE_LOADERS = {"_UniqueKeyLoader", "_FAST_LOADER"}


def called(node: ast.Call) -> str:
    """The dotted name of what is called, as far as it is one."""
    parts, inner = [], node.func
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        parts.append(inner.id)
    return ".".join(reversed(parts))


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((given.value for given in node.keywords if given.arg == name), None)


def imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]}
    return set()


def faults(source: str) -> list[str]:
    """What a piece of source does that nothing here may do."""
    found = []
    for node in ast.walk(ast.parse(source)):
        found += [f"imports {name}" for name in imported(node) & MODULES]
        if isinstance(node, ast.Call):
            found += [f"line {node.lineno}: {what}" for what in faults_of_call(node)]
    return found


def faults_of_call(node: ast.Call) -> list[str]:
    name, found = called(node), []
    if name in BUILTINS or any(name == call or name.endswith(f".{call}") for call in CALLS):
        found.append(name)
    if name.endswith("yaml.load") or name == "yaml.parse":
        loader = keyword(node, "Loader")
        safe = isinstance(loader, ast.Name) and loader.id in {*SAFE_LOADERS, "loader"}
        found += [] if safe else [f"{name} with {ast.unparse(loader) if loader else 'no loader'}"]
    for argument, allowed in (("shell", False), ("allow_pickle", False), ("trust_remote_code", 0)):
        value = keyword(node, argument)
        if value is not None and not (isinstance(value, ast.Constant) and value.value == allowed):
            found.append(f"{name}({argument}={ast.unparse(value)})")
    if name.endswith(".from_pretrained") and name.startswith("Auto"):
        remote = keyword(node, "trust_remote_code")
        found += [] if remote is not None else [f"{name} without trust_remote_code=False"]
    return found


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_module_neither_unpickles_nor_evaluates_nor_opens_a_shell(file):
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import torch\ntorch.load(f, weights_only=True)",
        "numpy.load(f)",
        "np.lib.format.read_array(f, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.load(text, Loader=yaml.UnsafeLoader)",
        "eval(text)",
        "subprocess.run(command, shell=True)",
        "AutoModel.from_pretrained(name)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_the_test_sees_what_it_looks_for(source):
    assert faults(source)


def test_modules_are_imported_by_name_in_two_places_that_limit_the_name():
    found = set()
    for file in SOURCES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        if names & {"importlib.import_module", "import_module"}:
            found.add(file.relative_to(ROOT).as_posix())
    assert found == IMPORTS_BY_NAME


def test_the_loaders_of_yaml_build_plain_values_only():
    for name in SAFE_LOADERS:
        loader = getattr(checked_files, name)
        assert issubclass(loader, yaml.SafeLoader | getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        made = {tag for tag in loader.yaml_constructors if tag and "python" in tag}
        assert made == set()
        with pytest.raises(yaml.constructor.ConstructorError):
            yaml.load("!!python/object/apply:os.getcwd []", Loader=loader)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_rules_neither_unpickle_nor_evaluate_nor_open_a_shell_of_their_own(file):
    code = re.sub(r"#.*", "", file.read_text(encoding="utf-8"))
    modules = rf"^\s*(?:import|from)\s+(?:{'|'.join(sorted(MODULES))})\b"
    calls = r"(?<![\w.])(?:eval|exec|__import__)\s*\(|shell\s*=\s*True|os\.(?:system|popen)\("
    assert not re.findall(f"{modules}|{calls}", code, flags=re.MULTILINE)


def test_shell_commands_of_rules_begin_with_our_own_program():
    """The only programs that rules start; a command is no place for values of a study file."""
    for file in RULES:
        for block in re.findall(r"shell:\n((?:\s+\".*\"\n?)+)", file.read_text(encoding="utf-8")):
            assert block.strip().startswith(('"python -m amb ', '"cat {input:q} ')), block
            assert not re.search(r"{(?:config|STUDY)\b", block), block

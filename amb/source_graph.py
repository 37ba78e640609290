"""Which of our own modules a module depends on: its imports, followed to the end.

Read from the source without importing anything. Every import counts, wherever it stands: in a
function, it is made when the function runs. Only those for type checkers do not.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("amb", "baselines")
FOR_TYPES = "TYPE_CHECKING"
SUFFIXES = (".py", ".j2", ".css", ".js", ".rst")  # Python, and what pages are made of


def files_behind(sources: Collection[str], apart: Collection[str] = ()) -> list[Path]:
    """Return files and all that they depend on among our own modules.

    Args:
        sources: Paths relative to the project's root: files, patterns of files, or folders with
            all sources below them.
        apart: Modules, and packages with all below them, that are left out, with what only they
            depend on.

    Returns:
        The files, sorted.
    """
    found: set[Path] = set()
    todo = [file for source in sources for file in _files_of(source)]
    while todo:
        file = todo.pop()
        if file in found or _is_apart(module_name(file), apart):
            continue
        found.add(file)
        todo += imported_files(file)
    return sorted(found)


@cache
def imported_files(file: Path) -> tuple[Path, ...]:
    """Return the files among our own modules that a file imports, packages on the way included."""
    if file.suffix != ".py" or not file.exists():
        return ()
    names = set(_imported_names(ast.parse(file.read_text(encoding="utf-8")).body))
    prefixes = {name.rsplit(".", n)[0] for name in names for n in range(name.count(".") + 1)}
    files = {found for name in prefixes if (found := module_file(name)) is not None}
    return tuple(sorted(files - {file}))


def module_file(name: str) -> Path | None:
    """Return the file of one of our own modules; None for any other name.

    The top packages themselves have none: they hold what users import, and no module of ours.
    """
    if name in PACKAGES or name.split(".")[0] not in PACKAGES:
        return None
    path = ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def module_name(file: Path) -> str:
    """Return the name of the module that a file of ours holds."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _files_of(source: str) -> list[Path]:
    path = ROOT / source
    if path.is_dir():
        return [file for file in path.rglob("*") if file.suffix in SUFFIXES]
    return sorted(ROOT.glob(source)) if "*" in source else [path]


def _is_apart(module: str, apart: Collection[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in apart)


def _imported_names(statements: Collection[ast.stmt]) -> Iterator[str]:
    """Yield what statements and those inside them import: ``a.b`` of ``from a import b``."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.If) and ast.unparse(statement.test).endswith(FOR_TYPES):
            yield from _imported_names(statement.orelse)
        else:
            yield from _imported_names(_inside(statement))


def _inside(statement: ast.stmt) -> list[ast.stmt]:
    """Return the statements in a compound statement; a class's or a function's, too."""
    holders = [statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
    parts = ("body", "orelse", "finalbody")
    return [inner for one in holders for part in parts for inner in getattr(one, part, [])]


def builder_file(builder: str) -> Path:
    """Return the file that builds a method, relative to the project's root."""
    return Path("amb/model/amb.py" if builder == "amb" else f"baselines/{builder}.py")

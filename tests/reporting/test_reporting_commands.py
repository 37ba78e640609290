import argparse
import io
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

import amb.reporting
from amb.cli import figures, show, tables
from amb.errors import InputError
from amb.reporting.terminal import show_results


def call(command: ModuleType, *arguments: object) -> None:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    command.run(parser.parse_args([str(argument) for argument in arguments]))


def write_tables(results, *more: object) -> None:
    folder = results.folder
    files = ["--summary", folder / "summary.csv", "--comparison", folder / "comparison.csv"]
    files += ["--pairs", folder / "pairs.csv"]
    places = ["--runs", folder / "runs", "--out-dir", folder / "tables"]
    call(tables, "--study", folder / "study.yaml", *files, *places, *more)


@pytest.fixture
def reported(results):
    claims = ["--claims", results.folder / "claims.json"]
    write_tables(results, *claims, "--out-claims", results.folder / "claims.md")
    return results


def test_commands_write_all_their_files(reported):
    folder = reported.folder
    call(
        figures, "--study", folder / "study.yaml", "--results", folder,
        "--out-dir", folder / "figures", "--only", "comparison", "training_curves", "effects",
    )  # fmt: skip
    names = {
        f"{name}.{kind}"
        for name in ("comparison", "training_curves", "effects")
        for kind in ("pdf", "png")
    }
    assert {path.name for path in (folder / "figures").iterdir()} == names
    assert {path.name for path in (folder / "tables").iterdir()} == {
        "comparison.csv", "comparison.html", "comparison.md", "comparison.tex",
        "ties.csv", "ties.html", "ties.md", "ties.tex",
    }  # fmt: skip
    assert (folder / "claims.md").is_file()
    assert (folder / "claims.tex").is_file()


def test_claims_without_a_place_to_write_are_an_error(results):
    with pytest.raises(InputError, match="--out-claims"):
        write_tables(results, "--claims", results.folder / "claims.json")


def test_show_is_plain_where_there_is_no_terminal(reported, capsys):
    (reported.folder / "study.yaml").unlink()
    (reported.folder / "report.html").touch()
    call(show, reported.folder)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    for part in ("0.691 ± 0.008 *", "REPRODUCED  “AMB can", "INCONCLUSIVE", "MDE 7.3 %"):
        assert part in text
    for name in ("report.html", "tables/comparison.tex", "claims.md"):
        assert str(reported.folder / name) in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_show_fits_the_width_and_cuts_no_number(reported, width):
    console = Console(width=width, record=True, file=io.StringIO())
    show_results(reported.folder, console)
    text = console.export_text()
    shown = text.split("Files\n")[0]
    assert max(len(line) for line in shown.splitlines()) <= width
    assert "…" not in text
    for number in ("0.691 ± 0.008 *", "87.24 ± 0.24 *", "−0.001 to +0.065", "22.7 M", "23.3 M"):
        assert number in text


def test_verdicts_have_colours_on_a_terminal(reported):
    console = Console(
        width=80, force_terminal=True, color_system="standard", record=True, file=io.StringIO()
    )
    show_results(reported.folder, console)
    styled = console.export_text(styles=True)
    assert "\x1b[1;32mREPRODUCED" in styled
    assert "\x1b[1;33mINCONCLUSIVE" in styled


def test_show_without_results_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"comparison.csv.*no such file"):
        call(show, tmp_path)


def test_show_without_claims_says_so(reported, capsys):
    (reported.folder / "claims.json").unlink()
    call(show, reported.folder)
    assert "No claims were tested" in capsys.readouterr().out


def test_log_in_ascii_is_no_error(reported):
    code = "import argparse, sys; from amb.cli import show as s; p = argparse.ArgumentParser(); "
    code += "s.configure(p); s.run(p.parse_args(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(reported.folder)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "0.691 ? 0.008 *" in done.stdout


def test_reporting_imports_neither_torch_nor_statsmodels():
    folder = Path(amb.reporting.__file__).parent
    modules = sorted(file.stem for file in folder.glob("[!_]*.py"))
    assert "terminal" in modules
    code = "import sys; "
    code += "; ".join(f"import amb.reporting.{name}" for name in modules)
    code += "; print(sorted({'torch', 'statsmodels', 'snakemake'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

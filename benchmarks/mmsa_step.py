"""Training steps of MMSA's bert_mag beside ours: same backbone, pickle and batch size, in one run.

    python -m benchmarks.mmsa_step --mmsa-python PYTHON --folder FOLDER

PYTHON is an interpreter that has MMSA 2.2.1 (and transformers 4.57, torch as here). Each side is a
process on one thread. Blocks of steps of all rows take turns, forwards and backwards, under torch's
float32 precisions ``highest`` (torch's default, which MMSA leaves alone) and ``medium`` (which our
recipe sets). Written: every block (``mmsa_step.json``) and the table in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from amb.files import write_json
from benchmarks.command import publish, training_parser
from benchmarks.mosi_like import prepare
from benchmarks.readme import machine, spread

ROOT = Path(__file__).resolve().parent.parent
MMSA = "bert_mag"
# Nearest first: mag_bert is the same architecture, trained in full as bert_mag is.
OURS = {
    "mag_bert_mosi": "MAG-BERT (`mag_bert`)",
    "finetuned_text": "fine-tuned BERT, text only",
    "finetuned_fusion": "fine-tuned BERT + layer-wise fusion",
    "amb": "AMB (frozen BERT)",
}
PRECISIONS = ("highest", "medium")
SIZES = {"train": 1284, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50


class Contender:
    """The other end of ``benchmarks.contender``.

    Args:
        process: With pipes to its stdin and stdout.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.facts: dict[str, Any] = self._answer()

    def block(self, row: str, precision: str, steps: int) -> dict[str, Any]:
        """Let it take steps; return what they cost."""
        assert self._process.stdin is not None
        asked = {"row": row, "precision": precision, "steps": steps}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a contender ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def contender(python: str, module: str, *arguments: object) -> Iterator[Contender]:
    """Start a contender on one thread, and end it with the block."""
    command = [python, "-m", module, *map(str, arguments)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    try:
        yield Contender(process)
    finally:
        process.kill()
        process.wait()


def measure(mmsa: Contender, ours: Contender, rounds: int, steps: int, warmup: int) -> list[dict]:
    """Time all rows under all precisions in turn.

    Args:
        mmsa: MMSA's process.
        ours: Ours.
        rounds: How often each is timed; every second round goes backwards.
        steps: Training steps in a block.
        warmup: Steps of each before the first round.

    Returns:
        Every block: ``round``, ``row``, ``precision`` and what the contender answered.
    """
    sides = {MMSA: mmsa, **dict.fromkeys(OURS, ours)}
    order = [(row, precision) for precision in PRECISIONS for row in sides]
    for row, precision in order:
        sides[row].block(row, precision, warmup)
    blocks = []
    for number in range(rounds):
        for row, precision in order if number % 2 == 0 else reversed(order):
            cost = sides[row].block(row, precision, steps)
            blocks.append({"round": number, "row": row, "precision": precision, **cost})
            print(f"round {number + 1}: {row}, {precision}: {cost}", file=sys.stderr)
    return blocks


def speeds(blocks: Sequence[dict], row: str, precision: str, cost: str = "cpu_s") -> list[float]:
    """Return utterances a second of a row in every round."""
    chosen = [b for b in blocks if (b["row"], b["precision"]) == (row, precision)]
    return [b["utterances"] / b[cost] for b in sorted(chosen, key=lambda b: b["round"])]


def ratio(blocks: Sequence[dict], row: str, precision: str, theirs: str) -> str:
    """Return how many times as fast a row is as MMSA's, round by round: median (lowest–highest)."""
    pairs = zip(speeds(blocks, row, precision), speeds(blocks, MMSA, theirs), strict=True)
    ratios = [ours / other for ours, other in pairs]
    return spread(ratios)


def table(measured: dict[str, Any]) -> str:
    """Return the Markdown table and what it was measured on."""
    blocks, mmsa, ours = (measured[key] for key in ("blocks", "mmsa", "ours"))
    trainable = {**mmsa["trainable"], **ours["trainable"]}
    headers = ["row", "trains, M", *(f"utterances/s, `{name}`" for name in PRECISIONS)]
    headers += ["× as shipped", *(f"× `{name}` for both" for name in PRECISIONS)]
    lines = [f"| {' | '.join(headers)} |", f"|---|{'---:|' * (len(headers) - 1)}"]
    for row, label in {MMSA: "MMSA 2.2.1 `bert_mag`", **OURS}.items():
        rates = (median(speeds(blocks, row, precision)) for precision in PRECISIONS)
        cells = [label, f"{trainable[row] / 1e6:.1f}", *(f"{rate:.1f}" for rate in rates)]
        if row == MMSA:
            cells += ["1"] * 3
        else:
            compared = [
                (ours["as_shipped"][row], "highest"),
                *((name, name) for name in PRECISIONS),
            ]
            cells += [ratio(blocks, row, *pair) for pair in compared]
        lines.append(f"| {' | '.join(cells)} |")
    where = measured["machine"]
    lines += [
        "",
        f"{measured['backbone']}; {SIZES['train']} utterances of {measured['mean_pieces']:.1f}",
        f"word-pieces in the mean, {LONGEST} at most; batches of {mmsa['batch_size']}; one thread.",
        f"{measured['rounds']} rounds of {measured['steps']} steps; utterances by second of the",
        "process's CPU time, medians over rounds; ratios round by round, median (lowest–highest).",
        f"{where['processor']}, {where['cores']} cores, load {where['load']:.1f}; torch",
        f"{ours['torch']} and {mmsa['torch']}, transformers {mmsa['transformers']} for MMSA.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Prepare the data, time both sides, write JSON and table."""
    parser = training_parser(__doc__, "data and backbone, 200 MB", rounds=12, steps=10, warmup=5)
    parser.add_argument("--mmsa-python", required=True, help="interpreter that has MMSA 2.2.1")
    parser.add_argument("--backbone", default="minilm", help="name or folder (default minilm)")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "mmsa_step.json")
    args = parser.parse_args()
    folder = args.folder.resolve()
    methods: dict[str, dict] = {row: {} for row in OURS}
    mean = prepare(folder, args.backbone, methods, SIZES, MEAN_PIECES, LONGEST)
    before = machine()
    with (
        contender(
            args.mmsa_python, "benchmarks.contender_mmsa", folder / "data.pkl", folder / "backbone"
        ) as mmsa,
        contender(sys.executable, "benchmarks.contender_amb", folder, *OURS) as ours,
    ):
        blocks = measure(mmsa, ours, args.rounds, args.steps, args.warmup)
        measured = {"schema": 1, "mmsa": mmsa.facts, "ours": ours.facts, "machine": before}
    measured |= {"backbone": args.backbone, "mean_pieces": mean, "sizes": SIZES}
    measured |= {"rounds": args.rounds, "steps": args.steps, "blocks": blocks}
    write_json(args.output, measured)
    text = table(measured)
    publish(args, "mmsa_step", text)


if __name__ == "__main__":
    main()

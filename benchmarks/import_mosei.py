"""Import and open a data set of the size of CMU-MOSEI, unaligned; time and memory.

    python -m benchmarks.import_mosei --folder FOLDER [--utterances 22856]

Writes a pickle in MMSA's unaligned layout (500 × 74 audio, 375 × 35 visual and 50 × 768 text
values an utterance, float32, lengths as real ones vary), imports it with ``amb data import``, opens
the store and draws the batches of one epoch. Beside it, in the same run: what it costs to read the
file's bytes and to load it with ``pickle.load``. Everything runs in a process of its own, whose
memory is read from the kernel: ``anonymous`` is what the process holds itself, ``resident`` counts
pages of mapped files too, which the kernel takes back when it needs them.

Random values: a store is no smaller than they are.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

SHARES = {"train": 16326 / 22856, "valid": 1871 / 22856, "test": 4659 / 22856}
BLOCKS = {"audio": (500, 74), "vision": (375, 35), "text": (50, 768)}
UTTERANCES_A_VIDEO = 7

READ = "import sys\nwith open(sys.argv[1], 'rb') as f:\n    while f.read(1 << 24): pass"
LOAD = "import pickle, sys\npickle.load(open(sys.argv[1], 'rb'))"
OPEN = """
import json, sys, time
start = time.perf_counter()
import torch
from amb.data.frames import ScaledFrames
from amb.data.ragged_tensor import RaggedTensor
from amb.data.normalisation import scaling_of
from amb.data.store import Store
imported = time.perf_counter()
store = Store.open(sys.argv[1])
frames = {}
rows = (store.utterances["split"] == "train").to_numpy().nonzero()[0]
for m in store.modalities:
    frames[m] = ScaledFrames.select(store.features(m), scaling_of(store, m, "zscore"), rows)
opened = time.perf_counter()
order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
for chunk in order.split(32):
    for source in frames.values():
        source.pad(chunk)
done = time.perf_counter()
seconds = {"imports": imported - start, "open": opened - imported, "epoch": done - opened}
print(json.dumps(seconds))
"""


def write_pickle(file: Path, utterances: int) -> None:
    """Write random data in MMSA's unaligned layout."""
    rng = np.random.default_rng(0)
    pickler = {}
    for split, share in SHARES.items():
        count = round(utterances * share)
        own = {
            "raw_text": ["what a film that was"] * count,
            "id": [f"{split}{k // UTTERANCES_A_VIDEO}$_${k}" for k in range(count)],
            "regression_labels": rng.uniform(-3, 3, count).astype(np.float32),
        }
        for name, (length, width) in BLOCKS.items():
            own[name] = rng.standard_normal((count, length, width), dtype=np.float32)
            if name != "text":
                own[f"{name}_lengths"] = rng.integers(length // 10, length + 1, count).tolist()
        pickler[split] = own
    with file.open("wb") as opened:
        pickle.dump(pickler, opened, protocol=4)


def measure(command: list[str]) -> dict[str, float | str]:
    """Run a command; return seconds, peak resident and peak anonymous memory in GB, and output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peaks = {"RssAnon": 0, "VmRSS": 0}
    watching = threading.Thread(target=_watch, args=(process.pid, peaks), daemon=True)
    watching.start()
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"failed: {command}")
    return {
        "s": time.perf_counter() - start,
        "resident_gb": peaks["VmRSS"] / 1e6,
        "anonymous_gb": peaks["RssAnon"] / 1e6,
        "output": output,
    }


def _watch(pid: int, peaks: dict[str, int]) -> None:
    """Keep the highest values of a process's memory, in kB, until it is gone."""
    while True:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        for line in status.splitlines():
            name = line.partition(":")[0]
            if name in peaks:
                peaks[name] = max(peaks[name], int(line.split()[1]))
        time.sleep(0.05)


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where to write 15 GB")
    parser.add_argument("--utterances", type=int, default=22856)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    file, store = args.folder / "unaligned_50.pkl", args.folder / "store"
    write_pickle(file, args.utterances)
    size = file.stat().st_size / 1e9
    python = sys.executable
    steps = {
        "read the bytes": [python, "-c", READ, str(file)],
        "pickle.load": [python, "-c", LOAD, str(file)],
        "amb data import": [
            *(python, "-m", "amb", "data", "import", str(file), "--out", str(store)),
        ],
        "open the store, one epoch of batches": [python, "-c", OPEN, str(store)],
    }
    print(f"{args.utterances:,} utterances, a pickle of {size:.2f} GB\n")
    print("| step | s | GB/s | resident, GB | × file | anonymous, GB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, command in steps.items():
        own = measure(command)
        rate = f"{size / own['s']:.2f}" if "store" not in name else ""
        print(
            f"| {name} | {own['s']:.1f} | {rate} | {own['resident_gb']:.2f} |"
            f" {own['resident_gb'] / size:.2f} | {own['anonymous_gb']:.2f} |",
            flush=True,
        )
    inside = json.loads(str(own["output"]))
    print("\n" + ", ".join(f"{key} {value:.2f} s" for key, value in inside.items()))
    written = (store / "features.safetensors").stat().st_size / 1e9
    print(f"the store's features: {written:.2f} GB")


if __name__ == "__main__":
    main()

"""Files that are almost right: bytes changed, cut, added, and pieces of other files."""

import random
import struct
import time

from amb.errors import InputError

LIMIT_S = 15
ONE_FILE_LIMIT_S = 2
LENGTHS = (0, 1, 2**31, 2**32 - 1)


def mutated(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return ``content`` with one to four random damages."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(changed) + 1)
        match rng.randrange(7):
            case 0 | 1:
                changed[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                del changed[place : place + rng.randint(1, 30)]
            case 3:
                changed[place : place + 4] = struct.pack("<I", rng.choice(LENGTHS))
            case 4:
                other = rng.choice(others)
                start = rng.randrange(len(other))
                changed[place:place] = other[start : start + rng.randint(1, 200)]
            case 5:
                changed[place:place] = changed[place : place + rng.randint(1, 60)] * 2
            case 6 if rng.random() < 0.3:
                del changed[place:]
    return bytes(changed)


def outcomes_of(load, file, sources: list[bytes], rng: random.Random, count: int) -> dict[str, int]:
    """Load mutated files; count values and refusals. Any other error, or a slow one, fails."""
    end = time.perf_counter() + LIMIT_S
    outcomes = {"value": 0, "refused": 0}
    for _ in range(count):
        file.write_bytes(mutated(rng.choice(sources), sources, rng))
        start = time.perf_counter()
        try:
            load(file)
            outcomes["value"] += 1
        except InputError:
            outcomes["refused"] += 1
        assert time.perf_counter() - start < ONE_FILE_LIMIT_S
        if time.perf_counter() > end:
            break
    return outcomes

"""Sizes of the releases of known corpora; apart, as a plan of jobs needs them and little else."""

from __future__ import annotations

# Utterances of train, valid and test in the releases that are in use, and what these are called.
KNOWN_SIZES = {
    "mosi": {(1284, 229, 686): "standard, 2,199 utterances"},
    "mosei": {
        (16326, 1871, 4659): "standard, 22,856 utterances",
        (16274, 1861, 4653): "label.csv, 22,788 utterances: 68 fewer than standard",
    },
    "sims": {(1368, 456, 457): "standard, 2,281 utterances"},
}

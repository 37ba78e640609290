"""Known files and their SHA-256, so that a user learns which release a file is.

Source: README of MMSA at a94e65d0 for its pickles; the others were hashed from the repositories
named.
"""

from __future__ import annotations

_RELEASES = (
    (
        "MMSA, MOSI unaligned_50.pkl",
        "78e0f8b5ef8ff71558e7307848fc1fa929ecb078203f565ab22b9daab2e02524",
    ),
    (
        "MMSA, MOSI aligned_50.pkl",
        "d3994fd25681f9c7ad6e9c6596a6fe9b4beb85ff7d478ba978b124139002e5f9",
    ),
    (
        "MMSA, MOSEI unaligned_50.pkl",
        "ad8b23d50557045e7d47959ce6c5b955d8d983f2979c7d9b7b9226f6dd6fec1f",
    ),
    (
        "MMSA, MOSEI aligned_50.pkl",
        "45eccfb748a87c80ecab9bfac29582e7b1466bf6605ff29d3b338a75120bf791",
    ),
    (
        "MMSA, SIMS unaligned_39.pkl",
        "c9e20c13ec0454d98bb9c1e520e490c75146bfa2dfeeea78d84de047dbdd442f",
    ),
    (
        "CMU-MOSI opinion labels (.csd), from worldreboot/audio-text-sentiment-analysis",
        "aef5f4617cdb067cc7606bb798eb6452c3de45f0f21cb3427be33c4d8c7fe852",
    ),
    (
        "CMU-MOSI timestamped words (.csd), from CMU-MultimodalSDK-Tutorials",
        "181272eb7ea3654941b7834604d0a61314368f4085668afae9f04c42a4610dee",
    ),
    (
        "CMU-MOSI standard folds, from CMU-MultimodalSDK",
        "027ca94558d1f2ac0b30b7a773f2b65439dc437fa42634c41e1fcf635d56127d",
    ),
    (
        "MISA, CMU-MOSI dev.pkl",
        "d4405ac91f62a807be9ff8dc4a92a7cbbf9735f0b6032649077d2e7500cf7076",
    ),
    (
        "CMU-MOSEI label.csv of 22,788 rows",
        "74a195945e28c1bbc45b6d279a99655d163f33d2c28b0c723ddba87bfbb97bfa",
    ),
)
KNOWN_FILES = {sha256: name for name, sha256 in _RELEASES}


def known_release(sha256: str) -> str | None:
    """Return the name of a file with this hash, None if it is not a known one."""
    return KNOWN_FILES.get(sha256)

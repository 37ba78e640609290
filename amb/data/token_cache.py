"""Word-pieces of a store, kept beside it for each backbone that has read it.

Tokenising CMU-MOSEI takes seconds, and every job of a study would do it again. The cache is keyed
by what the word-pieces depend on; it is no part of the store's content, and may be deleted.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from amb.data.store import Store
from amb.data.tokenisation import TokenisedTexts, tokenise
from amb.files import atomic_path, sha256_of

_ARRAYS = ("token_ids", "word_index", "offsets")


def cached_tokens(store: Store, backbone: Path, max_pieces: int) -> TokenisedTexts:
    """Return the word-pieces of a store's texts, from the cache if it has them.

    Args:
        store: An open store.
        backbone: A prepared backbone's folder, with its ``tokenizer.json``.
        max_pieces: Longer texts are cut, keeping [SEP].

    Returns:
        The word-pieces of all texts, in the store's order.
    """
    key = {
        "utterances": store.card["content"]["utterances"],
        "tokenizer": sha256_of(backbone / "tokenizer.json"),
        "tokenizers": version("tokenizers"),
        "max_pieces": str(max_pieces),
    }
    file = store.path / f"tokens_{key['tokenizer'][:12]}_{max_pieces}.safetensors"
    tokens = _read(file, key)
    if tokens is None:
        tokens = tokenise(store.utterances["words"].tolist(), backbone, max_pieces)
        _write(file, key, tokens)
    return tokens


def _read(file: Path, key: dict[str, str]) -> TokenisedTexts | None:
    """Return what the cache holds, None if it has nothing for this key or is damaged."""
    try:
        with safe_open(file, framework="np") as opened:
            metadata = opened.metadata() or {}
            if any(metadata.get(name) != value for name, value in key.items()):
                return None
            arrays = {name: opened.get_tensor(name).astype(np.int64) for name in _ARRAYS}
            return TokenisedTexts(**arrays, **json.loads(metadata["counts"]))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def _write(file: Path, key: dict[str, str], tokens: TokenisedTexts) -> None:
    counts = json.dumps({"cut": tokens.cut, "silent": tokens.silent})
    arrays = {name: getattr(tokens, name).astype(np.int32) for name in _ARRAYS}
    try:
        with atomic_path(file) as temporary:
            save_file(arrays, temporary, {**key, "counts": counts})
    except OSError:
        pass  # a store that may not be written to is read just as well

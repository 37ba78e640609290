"""Words → word-pieces, remembering which word each piece belongs to.

Notation: L word-pieces of a text, [CLS] and [SEP] included.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

SPECIAL = -1  # word index of [CLS] and [SEP]
# Case, accents, punctuation, digits and other scripts: what tokenizers differ in.
PROBE = ("It", "wasn't", "GREAT", "naïve", "(umm)", "1,234.5", "...", "très", "電影", "unwatchable")


@dataclass(frozen=True)
class TokenisedTexts:
    """Texts as ragged word-pieces.

    Attributes:
        token_ids: (ΣL,) int64.
        word_index: (ΣL,) int64, the word of each piece; -1 at [CLS] and [SEP].
        offsets: (U + 1,) int64, where each of the U texts begins.
        cut: Number of texts that were longer than allowed.
        silent: Number of words that have no word-piece at all (nothing but control characters,
            say), so that word-aligned frames of theirs reach no piece.
    """

    token_ids: np.ndarray
    word_index: np.ndarray
    offsets: np.ndarray
    cut: int
    silent: int


def tokenise(texts: Sequence[Sequence[str]], backbone: Path, max_pieces: int) -> TokenisedTexts:
    """Split words into the backbone's word-pieces.

    Args:
        texts: The words of each utterance.
        backbone: A prepared backbone's folder, with its ``tokenizer.json``.
        max_pieces: Longer texts are cut, keeping [SEP].

    Returns:
        The word-pieces of all texts, in order.
    """
    tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_pieces)
    encodings = tokenizer.encode_batch([list(words) for words in texts], is_pretokenized=True)
    lengths = [len(encoding.ids) for encoding in encodings]
    silent = sum(
        len(set(range(_last_word(encoding, len(words)) + 1)) - set(encoding.word_ids))
        for encoding, words in zip(encodings, texts, strict=True)
    )
    ids = [piece for encoding in encodings for piece in encoding.ids]
    words = [
        SPECIAL if word is None else word for encoding in encodings for word in encoding.word_ids
    ]
    return TokenisedTexts(
        token_ids=np.array(ids, dtype=np.int64),
        word_index=np.array(words, dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        cut=sum(bool(encoding.overflowing) for encoding in encodings),
        silent=silent,
    )


def tokenizer_digest(backbone: Path) -> str:
    """Hash what a tokenizer does, not the bytes of its file, which vary with versions.

    Args:
        backbone: A prepared backbone's folder, with its ``tokenizer.json``.

    Returns:
        SHA-256, in hexadecimal, of the vocabulary and of the pieces of a few words.
    """
    tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
    vocabulary = sorted(tokenizer.get_vocab().items())
    pieces = tokenise([PROBE], backbone, len(PROBE) * 10).token_ids.tolist()
    return hashlib.sha256(json.dumps([vocabulary, pieces]).encode()).hexdigest()


def _last_word(encoding: Encoding, words: int) -> int:
    """Return the last word that a text may show: that of its last piece where it was cut."""
    if not encoding.overflowing:
        return words - 1
    return max((word for word in encoding.word_ids if word is not None), default=-1)

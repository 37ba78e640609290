"""Corrupted inputs of the test split, the same for every method and seed.

    gaussian          x + σ·z for every feature of a frame, z ~ N(0, 1), after scaling
    feature_dropout   a share of all feature entries set to the feature's mean (0 after scaling)
    temporal_shuffle  a share of an utterance's frames change places among themselves
    missing           in a share of utterances all frames become the mean, all words [MASK]
    token_mask        a share of word-pieces become [MASK]
    embedding_noise   e + σ·rms(E)·z for every word embedding e, E the pretrained table

The number of frames and of word-pieces never changes, nor do [CLS] and [SEP]. Features are counted
in units of the standardised feature: where a study does not scale (``normalisation: none``), mean
and standard deviation are those of the train split. Precomputed token states are text: they go
missing with it, and cannot be masked by word-piece.

Level 0 is the clean input. Random numbers follow from (utterance, kind, modality, draw) alone, so
that all methods and seeds meet the same inputs, and are common to all levels: σ scales one field of
normal numbers, and what is dropped at a small share is dropped at a larger one too.

Reconstruction: all of it; the noise protocol is not stated in the abstract.

``points`` names the points of a grid and imports no torch.
"""

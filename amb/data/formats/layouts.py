"""The layouts that users hold: what each can say and what it cannot.

Each reader's own page has the details; this is what ``amb data layouts`` and ``amb data inspect``
print.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A layout of files.

    Attributes:
        title: What it is, in a few words.
        holds: What it can say.
        lacks: What it cannot say.
        needs: What else is needed to make a data set of it; empty if nothing.
        reader: The reader that takes it, None for files that only come with others.
    """

    title: str
    holds: str
    lacks: str
    needs: str
    reader: str | None


LAYOUTS = {
    "mmsa": Layout(
        "MMSA's pickle (aligned_50.pkl, unaligned_50.pkl)",
        "text, audio and visual sequences, labels, ids, splits; lengths where unaligned",
        "which frame belongs to which word (aligned files align to their own tokens); speakers;"
        " lengths where aligned (frames of zeros at the end count as padding)",
        "",
        "mmsa",
    ),
    "mag": Layout(
        "MAG-BERT's pickle (mosi.pkl, mosei.pkl)",
        "words, word-aligned audio and visual frames, labels, segments, splits",
        "times, pauses, punctuation, speakers",
        "",
        "mag",
    ),
    "misa": Layout(
        "MISA's pickle (train.pkl, dev.pkl, test.pkl): one split",
        "words, word-aligned audio and visual frames, labels, segments",
        "splits, times, pauses, punctuation, speakers",
        "the pickles of the other two splits, or folds that split its videos",
        "misa",
    ),
    "mult": Layout(
        "MulT's pickle (mosei_senti_data.pkl)",
        "audio, visual and GloVe sequences, labels, ids, splits",
        "the words; which frame belongs to which word; lengths (frames of zeros at either end count"
        " as padding); speakers",
        "a table (CSV) with the words: video_id, text and clip_id or start",
        "mult",
    ),
    "csd": Layout(
        "a computational sequence of the CMU Multimodal SDK",
        "features or labels or words of videos, with their times",
        "splits, speakers; which of labels, words, audio and visual features it holds",
        "sequences of labels and words (or transcripts, CSV), and the standard folds",
        "csd",
    ),
    "h5": Layout(
        "an array of HDF5 (the MFN release of ICT-MMMO)",
        "one modality or the labels of one split",
        "the words, ids, speakers, which rows share a video; lengths (frames of zeros at either end"
        " count as padding)",
        "the arrays of all splits, with their labels",
        "h5",
    ),
    "label_csv": Layout(
        "a table of texts and labels (label.csv)",
        "text, labels, ids, splits",
        "anything heard or seen; speakers",
        "",
        "label_csv",
    ),
    "transcripts": Layout(
        "a table of transcripts",
        "text by video, with starts where given",
        "features, splits",
        "the files that it is the text of",
        None,
    ),
    "folds": Layout(
        "standard folds of the CMU Multimodal SDK",
        "the split of each video",
        "everything else",
        "the files that it splits",
        None,
    ),
    "embeddings": Layout(
        "MISA's word vectors (embedding_and_mapping.pt)",
        "a vector for each word id",
        "everything else",
        "MISA's pickles, whose word ids point into it",
        None,
    ),
    "segments": Layout(
        "a list of segments (MOSEI_UMONS)",
        "ids and times of segments of one split",
        "text, features, labels",
        "nothing here reads it: it is a list of names",
        None,
    ),
}

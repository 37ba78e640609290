"""What a store says of itself in Croissant, the vocabulary of dataset metadata.

The data are described, not given away: files are named by their place in the store and by hash,
sources by name and hash, and nothing has an address to download from.

Source: Croissant format specification 1.1 (MLCommons).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
LICENSE_NOTE = "As the source files; the store carries no licence of its own."

_TYPES = {
    "utterances.parquet": "application/x-parquet",
    "labels.parquet": "application/x-parquet",
    "features.safetensors": "application/octet-stream",
}
_FIELDS = {
    "id": ("sc:Text", "Identifier of the utterance."),
    "video": ("sc:Text", "Identifier of the video it is cut from."),
    "clip": ("sc:Text", "Which clip of the video."),
    "speaker": ("sc:Text", "Identifier of the speaker where known."),
    "split": ("sc:Text", "train, valid or test."),
    "text": ("sc:Text", "What is said."),
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "column": "cr:column",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
    "key": "cr:key",
}


def describe(card: Mapping[str, Any], sha256: Mapping[str, str]) -> dict[str, Any]:
    """Return the Croissant description (JSON-LD) of a store.

    Args:
        card: The store's card.
        sha256: Hash of each described file, by its name in the store.

    Returns:
        A JSON-able object.
    """
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": f"amb-store-{card.get('dataset') or 'other'}",
        "description": _sentence(card),
        "license": LICENSE_NOTE,
        "isBasedOn": [
            {"@type": "sc:CreativeWork", "name": source["name"], "identifier": source["sha256"]}
            for source in card["sources"]
        ],
        "version": "1.0.0",
        "identifier": card["content_hash"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "encodingFormat": _TYPES[name],
                "sha256": digest,
            }
            for name, digest in sha256.items()
        ],
        "recordSet": [
            _records("utterances", "utterances.parquet", _FIELDS),
            _records(
                "labels",
                "labels.parquet",
                {
                    "id": _FIELDS["id"],
                    "label": ("sc:Float", "Sentiment; train and valid splits only."),
                },
            ),
        ],
    }


def _sentence(card: Mapping[str, Any]) -> str:
    counts = ", ".join(
        f"{own['utterances']} {split} utterances" for split, own in card["counts"].items()
    )
    modalities = ", ".join(f"{m} of {d} features" for m, d in card["dimensions"].items())
    text = "text" if card["has_text"] else "no text"
    return f"Multimodal sentiment: {counts}; {text}{', ' + modalities if modalities else ''}."


def _records(name: str, file: str, fields: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": description,
                "dataType": kind,
                "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
            }
            for column, (kind, description) in fields.items()
        ],
    }

"""The ``README.md`` of a saved model: what it is, from what data, with what scores, how to use it.

Every number in it comes from the run's record and from its stored predictions.
"""

from __future__ import annotations

import json

from amb.data.dataset import SPLITS
from amb.evaluation.metrics import METRICS
from amb.inference.config import ModelConfig

_CARD = """\
# {method}, seed {seed}, of study {study}

Predicts the sentiment of an utterance as one number. Builder `{builder}`, options `{options}`;
learned weights only, over backbone `{backbone}` (SHA-256 `{backbone_sha256}`).

| | |
|---|---|
| data | reader {reader}, release {release}; {counts} utterances |
| inputs | {inputs} |
| normalisation | {normalisation} |
| MAE, valid split | {valid_mae:.4f} |
{scores}
```python
from amb import AmbForSentiment, Utterance

model = AmbForSentiment.from_pretrained(FOLDER)
predictions = model.predict([Utterance({arguments})])
```

One seed of one study: its test scores are not evidence for a method; tables over many seeds are.
The licence of the data and of the backbone apply.
"""


def render_card(config: ModelConfig) -> str:
    """Return the model card.

    Args:
        config: The model's configuration.

    Returns:
        Markdown.
    """
    run = config.run
    data = run["data"]
    return _CARD.format(
        method=run["method"],
        seed=run["seed"],
        study=run["study"],
        builder=config.builder,
        options=json.dumps(config.options, sort_keys=True),
        backbone=config.backbone.name,
        backbone_sha256=config.backbone_sha256,
        reader=data["reader"],
        release=data["release"] or "unknown",
        counts=" + ".join(f"{data['utterances'][split]} {split}" for split in SPLITS),
        inputs="; ".join(_inputs(config)),
        normalisation=config.normalisation,
        valid_mae=run["valid_mae"],
        scores=_scores(run["test_scores"]),
        arguments=", ".join(_arguments(config)),
    )


def _inputs(config: ModelConfig) -> list[str]:
    text = [f"words, cut at {config.max_pieces} word-pieces"] if config.has_text else []
    return text + [
        f"{modality} (frames, {own.dimension})" + (", one frame a word" * own.word_aligned)
        for modality, own in config.read_features.items()
    ]


def _scores(scores: dict[str, float]) -> str:
    """Return one row of the table a metric that is known."""
    known = [name for name in METRICS if name in scores]
    return "".join(
        f"| {METRICS[name].label}, test split | {scores[name]:.4f} |\n" for name in known
    )


def _arguments(config: ModelConfig) -> list[str]:
    words = ["words=WORDS"] if config.has_text else []
    video = ["video=VIDEO"] if config.normalisation == "per_video" else []
    return words + [f"{modality}={modality.upper()}" for modality in config.read_features] + video

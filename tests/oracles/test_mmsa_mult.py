"""MulT beside MMSA's, weights copied.

MMSA masks no padding and reads the last place, so that its outputs are those of utterances alone;
ours are those of the same utterances in one padded batch. With positions it is MulT's own encoder,
which MMSA keeps and does not switch on.
"""

import pytest
import torch
from given_states import GivenStates
from run_in_mmsa import count, run_in_mmsa, weights_of

from amb.data.batches import Batch
from amb.data.frames import Frames
from baselines.mult import Options, assemble

DIMENSIONS = {"text": 10, "audio": 5, "visual": 7}
LENGTHS = {"text": (7, 11, 3), "audio": (20, 6, 13), "visual": (5, 8, 17)}
LETTERS = {"text": "l", "audio": "a", "visual": "v"}
NAMES = {
    **{
        f"trans_{LETTERS[target]}_with_{LETTERS[source]}": f"crossmodal.{target}_from_{source}"
        for target in LETTERS
        for source in LETTERS
    },
    **{f"trans_{letter}_mem": f"memory.{m}" for m, letter in LETTERS.items()},
    **{f"proj_{letter}.": f"projections.{m}.convolution." for m, letter in LETTERS.items()},
    "self_attn": "attention",
    "layer_norms.0": "attention_norm",
    "layer_norms.1": "feed_forward_norm",
    "layer_norm.": "norm.",
    "fc1": "widen",
    "fc2": "narrow",
    "proj1": "first",
    "proj2": "second",
    "out_layer": "head",
}


def frames(values, lengths):
    return Frames(values, torch.arange(values.shape[1]) < torch.tensor(lengths)[:, None])


@pytest.mark.parametrize("positions", [True, False])
def test_a_padded_batch_equals_mmsa_on_each_utterance_alone(positions, tmp_path):
    theirs = run_in_mmsa("mmsa_mult", tmp_path, "positions" if positions else "plain")
    options = Options(
        width=15,
        heads=3,
        levels=2,
        text_kernel=3,
        audio_kernel=1,
        visual_kernel=5,
        positions=positions,
    )
    model = assemble(GivenStates(theirs["text"]), DIMENSIONS, options).eval()
    weights = weights_of(theirs, NAMES)
    weights = {n: w for n, w in weights.items() if not n.endswith(("version", "_float_tensor"))}
    assert model.count_parameters()["total"] == count(weights)
    model.load_state_dict(weights)
    text, audio, visual = (frames(theirs[m], LENGTHS[m]) for m in DIMENSIONS)
    ids = text.mask.long()
    batch = Batch(ids, text.mask, ids, {"audio": audio, "visual": visual})
    with torch.no_grad():
        prediction = model(batch)
    torch.testing.assert_close(prediction, theirs["prediction"], rtol=1e-5, atol=1e-5)

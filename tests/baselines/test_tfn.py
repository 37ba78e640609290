"""TFN's outer product against loops, and its range."""

from types import SimpleNamespace

import torch

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.subnetworks import SubNetworks
from baselines.tfn import TensorFusionNetwork, outer_product


class Words(torch.nn.Module):
    """A backbone of one embedding."""

    shape = SimpleNamespace(hidden_size=4)

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(9, 4)

    def forward(self, token_ids, layout):
        return self.table(layout.pack(token_ids))


def test_the_outer_product_equals_three_loops():
    audio, visual, text = (torch.randn(2, width) for width in (2, 3, 4))
    product = outer_product([audio, visual, text])
    assert product.shape == (2, 3 * 4 * 5)
    for b in range(2):
        expected = [
            a * v * t
            for a in [1.0, *audio[b].tolist()]
            for v in [1.0, *visual[b].tolist()]
            for t in [1.0, *text[b].tolist()]
        ]
        torch.testing.assert_close(product[b], torch.tensor(expected))


def test_predictions_stay_in_range_and_padding_is_not_read():
    widths, dropouts = {"audio": 2, "visual": 2}, {"audio": 0.0, "visual": 0.0}
    subnetworks = SubNetworks({"audio": 3}, widths, dropouts, (4, 5, 2))
    model = TensorFusionNetwork(Words(), subnetworks, hidden=6, dropout=0.0).eval()
    with torch.no_grad():
        model.inference[-1].weight.mul_(100)
    values = torch.randn(1, 2, 3)
    tokens = torch.tensor([[1, 2]])
    mask = torch.tensor([[True, True]])
    plain = Batch(tokens, mask, tokens, {"audio": Frames(values, mask)})
    longer = torch.tensor([[True, True, False]])
    frames = Frames(torch.cat([values, torch.full((1, 1, 3), 50.0)], dim=1), longer)
    padded = Batch(torch.tensor([[1, 2, 7]]), longer, tokens, {"audio": frames})
    torch.testing.assert_close(model(padded), model(plain))
    assert (model(plain).abs() <= 3).all()

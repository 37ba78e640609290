"""LSTMs to the last real element, against torch's LSTM on packed sequences."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from amb.model.recurrent import BidirectionalLstm, LastState, at_last, mirrored

LENGTHS = [4, 1, 3]
MASK = torch.arange(4) < torch.tensor(LENGTHS)[:, None]


@pytest.fixture
def values():
    return torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))


def packed(lstm, values):
    states, (final, _) = lstm(
        pack_padded_sequence(values, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    )
    return pad_packed_sequence(states, batch_first=True)[0], final


def test_last_state_is_the_final_state_of_the_packed_sequence(values):
    encoder = LastState(5, 3)
    torch.testing.assert_close(encoder(values, MASK), packed(encoder.lstm, values)[1][0])


def test_bidirectional_states_are_those_of_the_packed_sequence(values):
    encoder = BidirectionalLstm(5, 3)
    reference = torch.nn.LSTM(5, 3, batch_first=True, bidirectional=True)
    own = encoder.state_dict()
    forward = {k.removeprefix("forwards."): v for k, v in own.items() if k.startswith("forwards.")}
    backward = {f"{k}_reverse": own[f"backwards.{k}"] for k in forward}
    reference.load_state_dict({**forward, **backward})
    states, final = encoder(values, MASK)
    expected, expected_final = packed(reference, values)
    torch.testing.assert_close(states * MASK.unsqueeze(-1), expected)
    torch.testing.assert_close(torch.stack(final), expected_final)


def test_padding_gets_no_gradient(values):
    values.requires_grad_()
    encoder = BidirectionalLstm(5, 3)
    (
        LastState(5, 3)(values, MASK).sum() + sum(s.sum() for s in encoder(values, MASK)[1])
    ).backward()
    assert (values.grad[~MASK] == 0).all()
    assert (values.grad[MASK] != 0).any(-1).all()


def test_mirroring_and_picking_by_hand():
    rows = torch.tensor([[1, 2, 3, 4], [5, 0, 0, 0], [6, 7, 8, 0]]).unsqueeze(-1)
    assert mirrored(rows, MASK).squeeze(-1).tolist() == [[4, 3, 2, 1], [5, 0, 0, 0], [8, 7, 6, 0]]
    assert at_last(rows, MASK).squeeze(-1).tolist() == [4, 5, 8]

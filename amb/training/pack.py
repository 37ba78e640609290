"""K seeds of one method as one model, so that K seeds cost few operations more than one.

The models of the seeds are built one by one and merged module by module::

    frozen                  one copy, which sees the utterances of all seeds as one batch
    trainable Linear        one product of K matrices
    trainable LayerNorm     one norm, K scales and shifts
    other trainable         in turn, each seed's own module on its part of the batch

The utterances of the seeds stand one seed after another, so that every tensor's first dimension
falls into K equal parts (``amb.model.packing`` sees to word-pieces). A model does not know that it
is packed: what it computes of one utterance must not depend on the others, and its loss must be the
mean over utterances. Where either fails, or a module takes something other than tensors,
the pack is refused and the seeds train in turn.

The parameters of each seed's own model are views into the merged ones: its optimiser, its
checkpoint and its predictions need not know of the pack either, and it can leave at any time.

Notation: K seeds, B utterances of a batch of all seeds, D and E sizes of a linear map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils import _pytree as pytree

from amb.data.batches import Batch, SplitData
from amb.model.method import SentimentModel
from amb.model.precision import BF16, FLOAT32, precision_of
from amb.training.dropout import DropoutStreams, SeededDropout, seed_dropout
from amb.training.seeds import derive_seed

# Of predictions, packed against alone: products are summed in another order, and bfloat16, whose
# step is 2^-8, now and then rounds the other way.
TOLERANCES = {FLOAT32: 1e-4, BF16: 3e-2}
PLAIN = (bool, int, float, str, type(None))  # arguments that all seeds share
RECURRENT = (nn.LSTM, nn.GRU, nn.RNN)
# They look into their children, so that no child can be replaced.
WHOLE = (nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)


class UnpackableError(Exception):
    """Why seeds of a method can not train as one model."""


class Pack:
    """K seeds as one model; with K = 1 that seed's own.

    Args:
        models: Of the seeds, built alike.
        seeds: The seeds.

    Attributes:
        model: What the batches of all seeds go through.

    Raises:
        UnpackableError: The models can not be merged.
    """

    def __init__(self, models: Sequence[SentimentModel], seeds: Sequence[int]) -> None:
        self.models, self.seeds = list(models), list(seeds)
        self._streams = DropoutStreams()
        for model in models:
            seed_dropout(model, self._streams)
        self._merged: list[_Merged] = []
        if len(models) == 1:
            self.model = models[0]
            return
        if not all(model.loss_is_mean_over_utterances for model in models):
            raise UnpackableError("its loss is not a mean over utterances")
        merged = _Merger(self._merged).merge(list(models))
        if not isinstance(merged, SentimentModel):
            raise UnpackableError("it has trainable parameters outside its modules")
        self.model = merged

    def __len__(self) -> int:
        return len(self.seeds)

    def begin_step(self, *place: int) -> None:
        """Start a step's draws, those of dropout and of torch's generators.

        Args:
            *place: Epoch and step, and the part of the batch where it comes in several.
        """
        keys = [derive_seed("dropout", seed, *place) for seed in self.seeds]
        # For what draws otherwise: such a method does not pack (see ``prove``), but starts again.
        torch.manual_seed(keys[0])
        self._streams.begin_step(keys, next(self.model.parameters()).device)

    def losses(self, batch: Batch) -> Tensor:
        """Return each seed's loss on its part of a labelled batch: (K,)."""
        if len(self) == 1:
            return self.model.loss(batch).unsqueeze(0)
        assert batch.labels is not None, "a batch without labels has no loss"
        errors: Tensor = (self.model(batch) - batch.labels).abs()
        return errors.view(len(self), -1).mean(1)

    def predict(self, data: SplitData, rows: Tensor) -> Tensor:
        """Predict the utterances ``rows`` (B,) of a split under each seed: (K, B)."""
        batch = data.batch(rows.repeat(len(self)), len(self))
        predictions: Tensor = self.model(batch).float()
        return predictions.view(len(self), -1)

    def hand_back_gradients(self) -> None:
        """Give each seed's parameters their part of the gradients, and forget the merged ones."""
        for merged in self._merged:
            gradient = merged.stacked.grad
            parts = [None] * len(self) if gradient is None else gradient.unbind(0)
            for parameter, part in zip(merged.parameters, parts, strict=True):
                parameter.grad = part
            merged.stacked.grad = None

    def prove(self, data: SplitData, rows: Tensor) -> None:
        """Check that the pack predicts what its models predict alone.

        Args:
            data: A split.
            rows: (K, B / K) utterances of each seed.

        Raises:
            UnpackableError: It does not.
        """
        if len(self) == 1:
            return
        batch = data.batch(rows.flatten(), len(self))
        self.model.eval()
        with torch.no_grad():
            alone = [m.eval()(data.batch(own)) for m, own in zip(self.models, rows, strict=True)]
        expected = torch.cat(alone)
        try:
            with torch.no_grad():
                together = self.model(batch)
            draws = self._draws_from_torch(batch)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise UnpackableError(f"a batch of several seeds fails: {error}") from error
        if together.shape != expected.shape:
            raise UnpackableError("its output has another shape for several seeds")
        difference = float((together - expected).abs().max())
        if not difference <= TOLERANCES[precision_of(self.model)] * (
            1 + float(expected.abs().max())
        ):
            raise UnpackableError(f"its predictions differ by {difference:.1e} when packed")
        if draws:
            raise UnpackableError("it draws from torch's generator, which the seeds would share")

    def _draws_from_torch(self, batch: Batch) -> bool:
        """Whether a step in training draws random numbers otherwise than by ``nn.Dropout``."""
        buffers = [b for model in self.models for b in model.buffers()]
        kept = [buffer.clone() for buffer in buffers]
        device = batch.token_ids.device
        generator = torch.cuda if device.type == "cuda" else torch.random
        self.begin_step(0, 0)
        before = generator.get_rng_state()
        with torch.no_grad():
            self.model.train()(batch)
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)
        return not torch.equal(generator.get_rng_state(), before)


class PackedLinear(nn.Module):
    """K linear maps, one for each part of the batch.

    Args:
        weight: (K, E, D).
        bias: (K, E), or None.
    """

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, values: Tensor) -> Tensor:
        """Map each part by its own weights: (B, …, D) → (B, …, E)."""
        rows = values.reshape(len(self.weight), -1, values.shape[-1])  # (K, n, D)
        weight = self.weight.transpose(1, 2)
        if self.bias is None:
            mapped = rows @ weight
        else:
            mapped = torch.baddbmm(self.bias.unsqueeze(1), rows, weight)
        return mapped.view(*values.shape[:-1], -1)


class PackedLayerNorm(nn.Module):
    """One layer norm with K scales and shifts.

    Args:
        norm: One of them, for its shape.
        weight: (K, D, …).
        bias: (K, D, …), or None.
    """

    def __init__(self, norm: nn.LayerNorm, weight: nn.Parameter, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.shape, self.eps = norm.normalized_shape, norm.eps
        self.weight, self.bias = weight, bias

    def forward(self, values: Tensor) -> Tensor:
        """Norm, then scale and shift each part: (B, …, D) → the same."""
        parts = F.layer_norm(values, self.shape, eps=self.eps)
        parts = parts.view(len(self.weight), -1, *self.shape)  # (K, n, D)
        scaled = parts * self.weight.unsqueeze(1)
        if self.bias is not None:
            scaled = scaled + self.bias.unsqueeze(1)
        return scaled.view(values.shape)


class InTurn(nn.Module):
    """K modules, each for its part of the batch, one after another.

    Args:
        members: The modules.
        hidden_dimension: Where the batch stands in what follows the first output: 1 for a
            recurrent module's states.
    """

    def __init__(self, members: Sequence[nn.Module], hidden_dimension: int = 0) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.hidden_dimension = hidden_dimension
        dropouts = (m for m in self.members.modules() if isinstance(m, SeededDropout))
        self._streams = next((dropout.streams for dropout in dropouts), DropoutStreams())

    def forward(self, *arguments: Any, **named: Any) -> Any:
        """Apply each module to its part of every tensor, and join what comes."""
        values, structure = pytree.tree_flatten((arguments, named))
        for value in values:
            if not isinstance(value, (Tensor, *PLAIN)):
                name = type(self.members[0]).__name__
                raise UnpackableError(f"{name} takes a {type(value).__name__}")
        parts = [self._split(value) for value in values]
        outputs = []
        with self._streams.in_turn() as turns:
            for k, member in enumerate(self.members):
                next(turns, None)
                own, named_own = pytree.tree_unflatten([part[k] for part in parts], structure)
                outputs.append(member(*own, **named_own))
        return self._join(outputs)

    def _split(self, value: Any) -> Sequence[Any]:
        K = len(self.members)
        if not isinstance(value, Tensor):
            return [value] * K
        if value.dim() == 0 or value.shape[0] % K:
            raise UnpackableError(f"a tensor of shape {tuple(value.shape)} has no {K} parts")
        return value.chunk(K)

    def _join(self, outputs: list[Any]) -> Any:
        flat = [pytree.tree_flatten(output) for output in outputs]
        joined = [
            torch.cat(parts, dim=0 if place == 0 else self.hidden_dimension)
            for place, parts in enumerate(zip(*(values for values, _ in flat), strict=True))
        ]
        return pytree.tree_unflatten(joined, flat[0][1])


class _Merged:
    """Parameters of K models and what they became: each is a view of its part."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        self.stacked = nn.Parameter(torch.stack([p.detach() for p in parameters]))
        for parameter, part in zip(parameters, self.stacked.detach().unbind(0), strict=True):
            parameter.data = part


class _Merger:
    """Merges K models, module by module.

    Args:
        merged: Filled with the parameters that were stacked.
    """

    def __init__(self, merged: list[_Merged]) -> None:
        self._merged = merged
        self._done: dict[int, nn.Module] = {}

    def merge(self, members: list[nn.Module]) -> nn.Module:
        """Return one module for the ``members``; one that is met twice is merged once."""
        first = members[0]
        if id(first) not in self._done:
            self._done[id(first)] = self._merge(members)
        return self._done[id(first)]

    def _merge(self, members: list[nn.Module]) -> nn.Module:
        first = members[0]
        own = _own_parameters(first)
        trains = [p.requires_grad for p in own]
        if type(first) is nn.Linear and all(trains):
            return PackedLinear(*self._weight_and_bias(members))
        if type(first) is nn.LayerNorm and own and all(trains):
            return PackedLayerNorm(first, *self._weight_and_bias(members))
        if any(trains) or _statistics(first) or isinstance(first, WHOLE):
            return _in_turn(members)
        _share_frozen(members)
        copy = first.__class__.__new__(first.__class__)
        copy.__dict__ = {**first.__dict__, "_modules": {}}
        for name in first._modules:
            children = [c for member in members if (c := member._modules[name]) is not None]
            copy._modules[name] = self.merge(children) if children else None
        return copy

    def _weight_and_bias(
        self, members: list[nn.Module]
    ) -> tuple[nn.Parameter, nn.Parameter | None]:
        found: list[nn.Parameter | None] = []
        for name in ("weight", "bias"):
            parameters = [getattr(member, name) for member in members]
            if parameters[0] is None:
                found.append(None)
                continue
            self._merged.append(_Merged(parameters))
            found.append(self._merged[-1].stacked)
        weight, bias = found
        assert weight is not None
        return weight, bias


def _in_turn(members: list[nn.Module]) -> InTurn:
    first = members[0]
    if not _statistics(first):
        _shared(members)  # such as the rows of a word embedding that do not train
    if isinstance(first, RECURRENT):
        if not first.batch_first:
            raise UnpackableError("a recurrent module with time before the batch")
        return InTurn(members, hidden_dimension=1)
    return InTurn(members)


def _own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that a module holds itself, in a list or a dict of them, too."""
    holders = [m for m in module.children() if isinstance(m, (nn.ParameterDict, nn.ParameterList))]
    return [p for holder in (module, *holders) for p in holder.parameters(recurse=False)]


def _statistics(module: nn.Module) -> bool:
    """Whether a module has state of its own that training changes, and a checkpoint holds."""
    return any(name not in module._non_persistent_buffers_set for name in module._buffers)


def _share_frozen(members: list[nn.Module]) -> None:
    """Let all seeds read one copy of what is frozen.

    Args:
        members: The module of each seed.

    Raises:
        UnpackableError: It is not the same for all.
    """
    different = _shared(members)
    if different:
        name = f"{type(members[0]).__name__}.{different[0]}"
        raise UnpackableError(f"{name} is frozen and not shared")


def _shared(members: list[nn.Module]) -> list[str]:
    """Share the frozen parameters and buffers that are equal; return the names of the others."""
    first = members[0]
    own = {
        **dict(first.named_parameters(recurse=False)),
        **dict(first.named_buffers(recurse=False)),
    }
    different = []
    for name, value in own.items():
        others = [getattr(member, name) for member in members[1:]]
        if value.requires_grad or all(other is value for other in others):
            continue
        if all(o.shape == value.shape and torch.equal(o, value) for o in others):
            for other in others:
                other.data = value.data
        else:
            different.append(name)
    return different

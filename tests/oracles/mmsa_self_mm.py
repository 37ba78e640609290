"""Write what MMSA's Self-MM and its trainer compute over three epochs, and the weights.

python mmsa_self_mm.py OUT.npz

Runs where MMSA is installed. Given states stand for BERT's; they differ by epoch, so that
representations move without an optimiser. The steps are those of MMSA's ``do_train``, in its order.
"""

import sys
from types import SimpleNamespace

import MMSA.models
import MMSA.trains  # noqa: F401
import numpy as np
import torch

U, L, T, EPOCHS, BATCH = 12, 6, 9, 3, 4
TASKS = {"M": "fusion", "T": "text", "A": "audio", "V": "vision"}
ARGUMENTS = SimpleNamespace(
    train_mode="regression",
    dataset_name="mosi",
    device="cpu",
    need_data_aligned=False,
    use_finetune=True,
    transformers="bert",
    pretrained="none",
    feature_dims=(10, 5, 7),
    train_samples=U,
    excludeZero=True,
    H=3.0,
    a_lstm_hidden_size=4,
    v_lstm_hidden_size=6,
    a_lstm_layers=1,
    v_lstm_layers=1,
    a_lstm_dropout=0.0,
    v_lstm_dropout=0.0,
    text_out=10,
    audio_out=3,
    video_out=5,
    post_fusion_dim=11,
    post_text_dim=8,
    post_audio_dim=6,
    post_video_dim=7,
    post_fusion_dropout=0.0,
    post_text_dropout=0.0,
    post_audio_dropout=0.0,
    post_video_dropout=0.0,
)


class GivenStates(torch.nn.Module):
    """Stands for BERT: hands over the states that were put into it."""

    def __init__(self, **_):
        super().__init__()
        self.states = None

    def forward(self, text):
        return self.states


def step(model, trainer, rows, inputs, labels, epoch):
    """One step of ``do_train`` without the optimiser; return its loss and the prediction."""
    lengths = [inputs[f"{m}_lengths"][rows] for m in ("audio", "visual")]
    model.text_model.states = inputs["text"][epoch - 1, rows]
    outputs = model(
        torch.ones(len(rows), 3, L),
        (inputs["audio"][rows], lengths[0]),
        (inputs["visual"][rows], lengths[1]),
    )
    loss = sum(
        trainer.weighted_loss(outputs[m], trainer.label_map[name][rows], indexes=rows, mode=name)
        for m, name in TASKS.items()
    )
    features = [outputs[f"Feature_{m}"] for m in "ftav"]
    if epoch > 1:
        trainer.update_labels(*features, epoch, rows, outputs)
    trainer.update_features(*features, rows)
    trainer.update_centers()
    return loss, outputs["M"].squeeze(-1)


def main(out):
    torch.manual_seed(7)
    module = sys.modules["MMSA.models.multiTask.SELF_MM"]  # a class of the package hides it
    module.BertTextEncoder = GivenStates
    model = module.SELF_MM(ARGUMENTS)
    trainer = sys.modules["MMSA.trains.multiTask.SELF_MM"].SELF_MM(ARGUMENTS)
    labels = torch.rand(U) * 6 - 3
    labels[3] = 0
    inputs = {"text": torch.randn(EPOCHS, U, L, 10)}
    for m, d in (("audio", 5), ("visual", 7)):
        inputs[f"{m}_lengths"] = torch.randint(1, T + 1, (U,))
        inputs[f"{m}_lengths"][0] = T
        inputs[m] = torch.randn(U, T, d)
    content = {"labels": labels, **inputs}
    content |= {f"weights.{name}": value for name, value in model.state_dict().items()}
    trainer.init_labels(torch.arange(U), labels)
    losses, predictions, after = [], [], []
    with torch.no_grad():
        for epoch in range(1, EPOCHS + 1):
            for rows in torch.arange(U).split(BATCH):
                loss, prediction = step(model, trainer, rows, inputs, labels, epoch)
                losses.append(loss)
                predictions.append(prediction)
                after.append(torch.stack([trainer.label_map[name] for name in TASKS.values()]))
    content |= {
        "loss": torch.stack(losses),
        "prediction": torch.stack(predictions),
        "labels_after": torch.stack(after),
    }
    for sign in ("pos", "neg"):
        own = [trainer.center_map[name][sign] for name in TASKS.values()]
        content[f"centre_{sign}"] = torch.cat(own)
    np.savez(out, **{name: value.numpy() for name, value in content.items()})


if __name__ == "__main__":
    main(sys.argv[1])

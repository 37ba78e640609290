"""Write what MMSA's own ``MMDataset`` hands over, item by item; runs where MMSA is installed.

python mmsa_items.py PICKLE OUT.npz MODEL

The arguments are those that ``MMSA_run`` makes: its configuration of MODEL for MOSI, with the
pickle as the custom feature file.
"""

import sys

import numpy as np
from MMSA.config import get_config_regression
from MMSA.data_loader import MMDataset

NO_OTHER_FILES = {"feature_T": "", "feature_A": "", "feature_V": ""}


def items(pickle, model):
    args = get_config_regression(model, "mosi")
    args.update(train_mode="regression", custom_feature=pickle, **NO_OTHER_FILES)
    content = {}
    for split in ("train", "valid", "test"):
        dataset = MMDataset(args, split)
        rows = [dataset[row] for row in range(len(dataset))]
        labels = [row["labels"]["M"].item() for row in rows]
        content[f"{split}.labels"] = np.array(labels, dtype=np.float32)
        for key in ("id", "raw_text", "audio_lengths", "vision_lengths"):
            if key in rows[0]:
                content[f"{split}.{key}"] = np.array([row[key] for row in rows])
        for key in ("audio", "vision"):
            content[f"{split}.{key}"] = np.stack([row[key].numpy() for row in rows])
    return content


if __name__ == "__main__":
    np.savez(sys.argv[2], **items(sys.argv[1], sys.argv[3]))

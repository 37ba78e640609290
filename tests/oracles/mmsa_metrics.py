"""Write what MMSA's own ``MetricsTop`` returns for many vectors; runs where MMSA is installed.

python mmsa_metrics.py OUT.npz VECTORS.npz

VECTORS has ``labels`` and ``predictions`` of all vectors in a row, and ``lengths``. OUT has one
array a data set and metric, and ``<data set>.raised``: 1 where MetricsTop raised IndexError.
"""

import sys
import warnings

import numpy as np
import torch
from MMSA.utils.metricsTop import MetricsTop


def evaluated(dataset, vectors):
    metrics = MetricsTop("regression").getMetics(dataset)
    found, raised = [], []
    for labels, predictions in vectors:
        try:
            found.append(metrics(torch.from_numpy(predictions), torch.from_numpy(labels)))
            raised.append(0)
        except IndexError:
            found.append({})
            raised.append(1)
    content = {f"{dataset}.raised": np.array(raised)}
    for name in max(found, key=len):
        values = [float(own.get(name, np.nan)) for own in found]
        content[f"{dataset}.{name}"] = np.array(values)
    return content


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with np.load(sys.argv[2]) as given:
        ends = np.cumsum(given["lengths"])[:-1]
        both = (np.split(given[name], ends) for name in ("labels", "predictions"))
        pairs = list(zip(*both, strict=True))
    np.savez(sys.argv[1], **evaluated("MOSI", pairs), **evaluated("SIMS", pairs))

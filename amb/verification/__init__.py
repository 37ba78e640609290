"""Everything right of the predictions made again, and held against what a results folder says.

The folder may come from a stranger: it is read through a checked copy, nothing in it is executed,
and nothing is written into it. Imports ``amb.reporting`` and below, and no torch.

``inputs`` copies what the steps read, ``integrity`` asks whether it belongs together, ``steps`` and
``rebuild`` make the files again, ``compare`` and ``differences`` hold them against the folder's,
``verify`` does all of it.
"""

"""Where a study stands while it runs, from the files in its results folder alone.

``runs`` says how each run is doing, ``steps`` which steps failed and what to do about it,
``time_left`` what is still to come; ``study`` puts them together, ``view`` shows it to people and
``report`` to programs. Reads no predictions, imports no torch and no pandas: it starts in a moment.
"""

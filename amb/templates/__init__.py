"""Files that a user starts from: Python that runs, copied under another name by ``amb new``."""

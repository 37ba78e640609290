"""Figures: each module takes tidy frames and returns one Figure; ``draw`` makes a study's files."""

"""One file a table row, each exposing ``build(options, backbone, features)``.

Imports ``amb`` only.
"""

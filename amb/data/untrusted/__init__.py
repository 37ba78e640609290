"""Files of unknown origin, read as data: nothing that a file names is imported or called.

Pickles, legacy torch files and HDF5 are what this field's data come in, and a pickle is a program.
Here it is interpreted by a machine that knows containers, numbers, text and NumPy arrays, and has
no way to do anything else.
"""

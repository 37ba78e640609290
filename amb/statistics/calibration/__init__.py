"""Does a test keep its level? The suite's tests on simulated predictions with a null that is true.

``cells`` says what is simulated, ``simulation`` draws predictions, ``replicates`` sums them and
computes metrics of many replicates at once, ``closed_forms`` are the suite's two tests as array
code, ``one_by_one`` calls the others and ``resampling`` those that draw random numbers,
``procedures`` is the table of tests, ``run`` counts rejections.

Pure functions but for ``run``, which keeps finished scenarios in files; imports no torch.
"""

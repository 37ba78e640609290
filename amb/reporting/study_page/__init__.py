"""The study's page: one self-contained HTML file, made from the files of a results folder alone.

What is in the folder is gathered (``verdict_cards``, ``table_list``, ``figure_list``, ``seeds``,
``variants``, ``utterances``, ``origins``), laid out by the templates in ``assets`` and written as
one file by ``document``. Imports no torch; what a folder lacks, its page does without.
"""

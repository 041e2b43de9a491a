"""Exactly once, in bulk, on Faust: runs, transactions, links and their recovery.

It knows records, rows, outputs and transactions, and nothing of money. What is folded is
a ``Stage``; what is private to other libraries is touched in ``seam``, ``flow`` and
``transport`` only.
"""

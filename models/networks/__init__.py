"""Torch networks of our own, as transformers models, so that Optimum exports them like any other checkpoint.

Export and training only: a machine that merely runs video never imports this package.
"""

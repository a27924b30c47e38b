"""Several models on the same frames: what they find, how fast, how right, and both pictures side by side.

`mirilla compare` and `stream.comparison.compare.compare_models` are the ways in.
"""

"""PyTorch checkpoints to verified ONNX packages, through Optimum.

Needs the `export` extra; a machine that merely runs video never imports this package.
"""

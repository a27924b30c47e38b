"""How good a model is: what it says of annotated pictures, against what people said of them.

Reached by `mirilla evaluate` and `mirilla compare` only; `models.evaluation.evaluate.evaluate` is the whole of it for a
library's user. Nothing here runs while a video plays.
"""

"""Models: a picture in, a result out; nothing here knows of time or streams.

`load_model("quickdraw-32")` is the whole of it for a library's user.
"""

from models.chain import TopDown
from models.drawing_chain import DrawingChain
from models.errors import MirillaError, ModelError
from models.model import Model, load_model
from models.prompted_model import PromptedModel, load_prompted_model
from models.prompts import ObjectPrompt
from models.results import Classification, DepthMap, Detections, Poses, Result, SegmentationMap, SketchGuess

__all__ = [
    "Classification",
    "DepthMap",
    "Detections",
    "DrawingChain",
    "MirillaError",
    "Model",
    "ModelError",
    "ObjectPrompt",
    "Poses",
    "PromptedModel",
    "Result",
    "SegmentationMap",
    "SketchGuess",
    "TopDown",
    "load_model",
    "load_prompted_model",
]

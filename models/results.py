"""What a model says about one picture: one frozen type a kind of answer, checked where it is built.

A result never knows which frame it belongs to nor when it was made; `stream.frame_result.FrameResult` does.
Arrays are made read-only, so that a result may be shared between threads.
"""

from models.classification import Classification, SketchGuess
from models.depth_map import DepthMap
from models.detections import Detections
from models.poses import Poses, objects_of
from models.result import Result, ResultFilter
from models.segmentation_map import UNLABELLED, SegmentationMap

__all__ = [
    "UNLABELLED",
    "Classification",
    "DepthMap",
    "Detections",
    "Poses",
    "Result",
    "ResultFilter",
    "SegmentationMap",
    "SketchGuess",
    "objects_of",
]

"""On-device inference: NumPy, one engine, and nothing else of edgenn but its errors."""

from edgenn.runtime.session import ENGINES, Session
from edgenn.runtime.step_info import State, StepInfo
from edgenn.runtime.stream import Stream
from edgenn.runtime.tensor_info import TensorInfo

__all__ = ["ENGINES", "Session", "State", "StepInfo", "Stream", "TensorInfo"]

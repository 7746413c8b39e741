"""On-device inference: NumPy, one engine, and nothing else of edgenn but its errors."""

from edgenn.runtime.session import ENGINES, Session
from edgenn.runtime.tensor_info import TensorInfo

__all__ = ["ENGINES", "Session", "TensorInfo"]

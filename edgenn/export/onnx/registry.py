"""The emitters of ONNX; filled by the files in ``emitters/``."""

from edgenn.export.onnx.context import Context
from edgenn.export.registry import Registry

EMITTERS = Registry[Context]()
emitter = EMITTERS.emitter

"""The emitters of TFLite; filled by the files in ``emitters/``."""

from edgenn.export.registry import Registry
from edgenn.export.tflite.context import Context

EMITTERS = Registry[Context]()
emitter = EMITTERS.emitter

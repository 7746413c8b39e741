"""What edgenn has to work with on this machine, and what of it cannot work."""

from edgenn.doctor.examination import examine
from edgenn.doctor.report import EngineState, Health, Package, Trouble

__all__ = ["EngineState", "Health", "Package", "Trouble", "examine"]

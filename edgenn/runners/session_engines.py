"""What the child processes of the runners on this machine's CPU open artifacts with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenn.runtime.engine import Engine
from edgenn.runtime.session import open_engine


def litert(path: Path, options: Mapping[str, Any]) -> Engine:
    return open_engine(path, options.get("threads", 1), "litert")


def litert_reference(path: Path, options: Mapping[str, Any]) -> Engine:
    return open_engine(path, options.get("threads", 1), "litert-reference")


def onnxruntime(path: Path, options: Mapping[str, Any]) -> Engine:
    return open_engine(path, options.get("threads", 1), "onnxruntime")

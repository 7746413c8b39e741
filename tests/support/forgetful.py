"""Engines that do not begin anew with each sample."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenn.runners.litert import LiteRTRunner
from edgenn.runtime.engine import Engine
from edgenn.runtime.litert import LiteRTEngine


class UnresetRunner(LiteRTRunner):
    """LiteRT whose variables keep what the last run left in them."""

    engine = "support.forgetful:unreset"

    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(Path(__file__).parents[1])}


def unreset(path: Path, options: Mapping[str, Any]) -> Engine:
    engine = LiteRTEngine(path)
    start = engine._start

    def start_and_forget() -> None:
        start()
        engine._invoke = engine._interpreter.invoke

    engine._start = start_and_forget
    engine._invoke = engine._interpreter.invoke
    return engine

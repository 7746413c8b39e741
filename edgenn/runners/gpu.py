"""What runners on a GPU share: the devices that their engines get to see."""

import os
import re
import tempfile
from collections.abc import Mapping
from functools import cached_property

from edgenn.errors import EdgennError, EngineError
from edgenn.runners.runner import Runner
from edgenn.runners.vulkan import Device, Diagnosis, diagnose

CHECK_FAILED = re.compile(r"^F\d{4} .*\] (Check failed: .*)$", re.MULTILINE)
"""Last words of Google's libraries before they abort."""


class GpuRunner(Runner):
    """Hides from the engine all devices but those that it is to use."""

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What Vulkan is like on this machine; asked for once."""
        return diagnose()

    @property
    def wants_float16(self) -> bool:
        return bool(self.options.get("precision") == "f16")

    @property
    def devices(self) -> tuple[Device, ...]:
        """Those that the engine gets to see."""
        return self.diagnosis.chosen(float16=self.wants_float16)

    def require_available(self) -> None:
        super().require_available()
        self.environment()

    def environment(self) -> Mapping[str, str]:
        """As of the base class; raises ``UnavailableError`` where there is no device."""
        variables = self.diagnosis.environment(float16=self.wants_float16)
        if not os.environ.get("XDG_RUNTIME_DIR"):
            # not set in containers; Mesa's drivers complain then, and some fail
            variables["XDG_RUNTIME_DIR"] = tempfile.gettempdir()
        return variables

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        """Puts a failed check in the place of the stack that was printed after it."""
        failed = CHECK_FAILED.search(text)
        if type(error) is EngineError and failed:
            return EngineError(error.message, failed[1].strip())
        return error

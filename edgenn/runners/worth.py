"""What the time that was measured here says of a device."""

from typing import Final

from edgenn.runners.facts import Facts
from edgenn.targets.profile import Profile

SOFTWARE: Final = "the GPU is emulated on this machine's processor"
HOST: Final = {
    "measured": "",
    "estimated": "this machine computes the numbers; what the device needs is estimated",
    "none": "this machine does the device's work",
}
"""What a profile says of its time → why the time measured says nothing of the device."""


def not_the_device(profile: Profile, facts: Facts) -> str:
    """Why the time of a run says nothing of the device; empty where it does."""
    return SOFTWARE if facts.software else HOST[profile.judge.time]

"""Whether a stream gives what the whole sequence gives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamCheck:
    """One artifact on one target, in streams.

    Attributes:
        chunks: Steps given at once, each of which was tried.
        max_difference: From whole sequences, as a share of the output's range.
        finding: What is wrong; empty where nothing is.
    """

    artifact: str
    target: str
    chunks: tuple[int, ...]
    max_difference: float
    passed: bool
    finding: str = ""

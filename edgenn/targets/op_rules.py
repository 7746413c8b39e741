"""Where the ops of a file run on a target: the table ``[ops]`` of a profile."""

from pydantic import BaseModel, ConfigDict


class OpRules(BaseModel):
    """Filled in by the pre-flight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

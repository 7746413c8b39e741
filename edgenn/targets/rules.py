"""The rules for ops that a profile comes to, with those of another that it names."""

from edgenn.errors import UsageError
from edgenn.targets.catalog import find_target
from edgenn.targets.op_rules import OpRules
from edgenn.targets.profile import Profile


def rules_of(profile: Profile, seen: tuple[str, ...] = ()) -> OpRules | None:
    """A profile's rules; of one that is ``like`` another, the other's with its own limits behind.

    Raises:
        UsageError: The other is no target, has no rules, or is like this one.
    """
    own = profile.ops
    if own is None or own.like is None:
        return own
    if own.like in seen:
        raise UsageError(
            f"{profile.name}: its ops are like those of {own.like}, and so in a circle"
        )
    base = rules_of(find_target(own.like), (*seen, own.like))
    if base is None:
        raise UsageError(
            f"{profile.name}: {own.like}, which its ops are like, has no rules for ops"
        )
    said = {name: getattr(own, name) for name in own.model_fields_set - {"like"}}
    return base.model_copy(
        update={
            **said,
            "limits": (*base.limits, *own.limits),
            "pitfalls": (*base.pitfalls, *own.pitfalls),
        }
    )

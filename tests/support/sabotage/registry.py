"""Every kind of fault."""

from support.sabotage.fault import Fault
from support.sabotage.faults import (
    bias_dropped,
    channel_zeroed,
    gate_order,
    kernel_transposed,
    noise_calibration,
    padding_side,
    scale_doubled,
    stale_artifact,
    state_not_carried,
    state_not_reset,
    wrong_activation,
    zero_point_off,
)

FAULTS: dict[str, Fault] = {
    module.FAULT.name: module.FAULT
    for module in (
        scale_doubled,
        zero_point_off,
        channel_zeroed,
        bias_dropped,
        kernel_transposed,
        padding_side,
        gate_order,
        state_not_carried,
        state_not_reset,
        wrong_activation,
        noise_calibration,
        stale_artifact,
    )
}

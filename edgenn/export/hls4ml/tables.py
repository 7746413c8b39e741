"""Tables of functions: how many entries hls4ml looks them up in, and how fine those are.

hls4ml's sigmoid covers ±8, its tanh ±4, its ELU -8…0. An index is cut off towards zero, so that
every result is up to one entry too small, and a recurrent layer adds that up over its steps: the
digits GRU drifts by 0.09 of its output with hls4ml's own 1024 entries, by 0.026 with 4096, by
0.009 with 16384, and by 0.004 with 65536.
"""

from typing import Any, Final

from edgenn.ir.fixed_format import FixedFormat

TABLE_BITS: Final = 14
"""16384 entries, which are 16 block RAMs of 18 Kbit for each pair of values at once."""

ENTRY_BITS: Final = 18
"""Width of a block RAM's words."""


def table(form: FixedFormat) -> dict[str, Any]:
    """Settings of a layer with a table whose entries become results in a format."""
    entry = FixedFormat(ENTRY_BITS, max(form.integer, 1) + 1)
    return {
        "TableSize": 1 << TABLE_BITS,
        "table_t": f"ap_fixed<{entry.width},{entry.integer},AP_RND,AP_SAT>",
    }

"""Writes docs/metrics.md: all metrics, how sure they are, how to add one."""

from collections.abc import Iterable
from pathlib import Path

from edgenn.drift.metrics import METRICS, Metric

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

HEADING = """\
# Metrics

Made from `METRICS` in `edgenn/drift/metrics` by `python tools/generate_metrics.py`.

`edgenn check` gives every metric that has a meaning for an output, by name, in JSON, in the HTML
report and to budgets. Tables on the console show those marked with •. A metric without a meaning
is `null`, one of outputs that are no numbers is `NaN` (in JSON `null`). Shares (%) are numbers
between 0 and 1 in JSON and in budgets.

Samples are looked at in blocks of a size that the output's shape decides. Of each metric only sums
over samples are kept (of ranks: how often each score was right and wrong), in float64, so that
memory does not grow with the data, and the numbers are the same however the samples come.
"""

REFERENCE = """\
## Against the reference

The reference is Keras, or the rung before. Every element counts alike.
"""

LABELS = """\
## Against labels

What labels mean is told from shapes, dtypes and the first block of samples:

| labels | output | they are |
|---|---|---|
| integers, the output's shape without its last axis | `(n, …, C)` | class indices |
| the output's shape, adding up to 1 along the last axis | `(n, …, C)` | one-hot classes |
| integers, the output's shape | integers | class indices on both sides |
| 0 and 1, the output's shape | `(n,)`, `(n, 1)`, `(n, h, w, 1)` | yes or no |
| 0 and 1, the output's shape | `(n, C)` | any number of classes |
| other numbers, the output's shape | any | numbers |

Class indices below 0 are padding and do not count.

Metrics marked *asked* have a meaning that shapes do not tell. They are computed where they are
named: `METRICS = ("word_error_rate",)` in a recipe, or a line in a budget.
"""

INTERVALS = """\
## How sure a task metric is

Task metrics have a 95 % interval of (rung − Keras): with "worse by 0.3 % ± 0.5 %" nobody has to
guess whether a model got worse.

- **Paired bootstrap** (Efron & Tibshirani 1993): samples are drawn again with replacement, 1000
  times, the same ones for Keras and the rung; the interval is the middle 95 % of the differences.
  What makes a sample hard for both drops out.
- **Any number of samples.** Up to 512 samples are resampled one by one. Of more, 512 groups are,
  each the sum of as many samples drawn at random. Groups are as independent of each other as
  samples, so the spread of their sums says the same, to 3 %.
- **Ranks** (AUC, mAP) do not add up over samples. 128 to 2048 samples drawn at random are kept, by
  how many scores each has; the interval is the difference ± 1.96 standard errors of 100 resamples
  of these, scaled by √(kept / all).
- **A recipe's `score`** may do anything: it is called on up to 400 resamples, as many as fit into
  ten seconds; fewer than 25 give no interval.
- Seeds are fixed: the same samples give the same interval. In simulations 90 to 99 % of the
  intervals hold the truth (`tests/drift/metrics/test_bootstrap.py`). Where the two differ on a
  handful of samples only, no resampling knows more than these, and intervals are too narrow.
"""

ADDING = """\
## Add a metric

A metric is an entry of the tuple at the end of its family's file in `edgenn/drift/metrics`. Its
rule says what is kept of each sample and what number the sums are; chunks, bootstrap and reports
follow from that.

```python
import numpy as np

from edgenn.drift.metrics.metric import Drift, Metric


def signed_errors(pair):
    \"\"\"Sum of the differences of each sample, and how many elements it has.\"\"\"
    count = np.full(len(pair.actual), pair.difference.shape[1])
    return np.stack([pair.difference.sum(-1), count], -1)


def mean_of(sums, maxima):
    return sums[..., 0] / sums[..., 1]


BIAS = Metric(
    name="bias",
    title="bias",
    unit="",
    better="lower",
    source="mean of (actual − reference)",
    purpose="a shift that all outputs share: a wrong zero point",
    rule=Drift(signed_errors, mean_of),
)
```

| rule | for | gives |
|---|---|---|
| `Drift` | outputs beside the reference's | rows `(n, k)` for a `Pair`; a number of their sums |
| `Task` | outputs beside labels | rows `(n, k)` for a `Judged`; numbers of sums `(…, k)` |
| `Ranked` | the order of scores | `Claims` for a `Judged`; an area for each class |

Axes in front of sums are resamples. `applies` decides by the `Layout` of outputs and labels. Then:
a test beside a witness in `tests/drift/metrics`, and this page anew.
"""


def page() -> str:
    """The whole page, in Markdown."""
    drift = [metric for metric in METRICS.values() if not metric.of_labels]
    tasks = [metric for metric in METRICS.values() if metric.of_labels]
    return "\n".join([HEADING, REFERENCE, table(drift), LABELS, table(tasks), INTERVALS, ADDING])


def table(metrics: Iterable[Metric]) -> str:
    rows = [
        "| name | column | unit | better | what for | definition |",
        "|---|---|---|---|---|---|",
    ]
    for metric in metrics:
        name = f"`{metric.name}`" + (" •" if metric.in_table else "")
        purpose = metric.purpose + (" (*asked*)" if metric.asked else "")
        cells = [name, metric.title, metric.unit or "–", metric.better, purpose, metric.source]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

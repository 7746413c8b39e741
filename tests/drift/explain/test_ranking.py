"""The order in which layers at fault are named."""

from edgenn.drift.explain.ranking import ranked

LAYERS = ["a", "b", "c"]


def order(read=None, **statistics):
    entries = {name: statistics.get(name, {"own error": 1.0}) for name in LAYERS}
    return ranked(LAYERS, entries, read or {})


def test_only_layers_beyond_the_limit_are_at_fault():
    assert order() == []
    assert order(b={"own error": 2.1, "weights": 0.5}) == ["b"]


def test_the_largest_excess_comes_first():
    assert order(a={"own error": 3.0}, b={"weights": 9.0}, c={"bias": 5.0}) == ["b", "c", "a"]


def test_an_op_that_computes_wrongly_comes_before_its_readers():
    statistics = {"a": {"zero point": 3.0}, "b": {"own error": 9.0}, "c": {"own error": 5.0}}
    assert order({"b": frozenset("a")}, **statistics) == ["a", "b", "c"]
    assert order({}, **statistics) == ["b", "c", "a"]


def test_a_reader_that_computes_wrongly_itself_keeps_its_place():
    statistics = {"a": {"arithmetic": 3.0}, "b": {"arithmetic": 9.0}}
    assert order({"b": frozenset("a")}, **statistics) == ["b", "a"]


def test_ranges_come_last_in_the_order_of_the_model():
    statistics = {
        "a": {"saturation": 4.0},
        "b": {"unused range": 90.0},
        "c": {"weights": 3.0},
    }
    assert order(**statistics) == ["c", "a", "b"]

import pytest
from support.programs import program, value

from edgenn.placement import peak_activation
from edgenn.placement.memory import Peak
from edgenn.placement.program import Node, Program, Section

X, A, B, C = (value(name, size) for name, size in [("x", 100), ("a", 70), ("b", 50), ("c", 20)])


def test_what_is_still_read_stays():
    straight = program([("RELU", [X], [A]), ("RELU", [A], [B]), ("RELU", [B], [C])], [X], [C])
    assert peak_activation(straight) == Peak(170, "a")
    kept = program([("RELU", [X], [A]), ("RELU", [A], [B]), ("ADD", [B, X], [C])], [X], [C])
    assert peak_activation(kept) == Peak(220, "b")


def test_outputs_stay_until_the_end():
    both = program([("RELU", [X], [A]), ("RELU", [A], [B]), ("RELU", [B], [C])], [X], [A, C])
    assert peak_activation(both) == Peak(170, "a")
    late = value("late", 60)
    both = program([("RELU", [X], [A]), ("RELU", [C], [late])], [X, C], [A, late])
    assert peak_activation(both) == Peak(190, "a")


def test_views_and_constants_take_nothing():
    flat, weights = value("flat", 10, 10), value("w", 1000, constant=True)
    viewed = program([("RESHAPE", [X], [flat]), ("MUL", [flat, weights], [B])], [X], [B])
    assert peak_activation(viewed) == Peak(150, "b")


def test_states_are_always_there():
    state = value("state", 40, variable=True)
    stateful = program([("SVDF", [X, state], [A]), ("RELU", [A], [B])], [X], [B])
    assert peak_activation(stateful).bytes == 170 + 40


def test_what_a_loop_runs_is_beside_what_waits():
    inside = value("inside", 30)
    body = Section("body", (C,), (inside,), (Node("RELU", (C,), (inside,)),))
    loop = Node("WHILE", (X,), (A,), bodies=(1,), repeats=5)
    main = Section("main", (X,), (A,), (loop,))
    assert peak_activation(Program("tflite", (main, body))) == Peak(170 + 50, "a")


def test_real_numbers_between_integers_take_what_the_integers_take():
    scale = value("scale", dtype="float32", constant=True)
    real, small, again = (
        value("real", 100, dtype="float32"),
        value("small", 100),
        value("again", 100, dtype="float32"),
    )
    quantized = program(
        [
            ("Relu", [X], [real]),
            ("QuantizeLinear", [real, scale], [small]),
            ("DequantizeLinear", [small, scale], [again]),
            ("Relu", [again], [C]),
        ],
        [X],
        [C],
    )
    assert peak_activation(quantized) == Peak(200, "real")


@pytest.mark.parametrize(("dtype", "size"), [("float16", 20), ("int4", 5), ("bool", 10)])
def test_bytes(dtype, size):
    assert value("x", 2, None, 5, dtype=dtype).bytes == size

"""Two directions over one input: one node, where both fit into it."""

from dataclasses import replace

import pytest
from support.onnx_files import assert_equals_onnxruntime, checked, kinds, run
from support.recurrent import (
    activation,
    add_inputs,
    add_recurrent,
    assert_close,
    recurrent_inputs,
    with_activations,
)

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, Concatenation, Gru, Lstm, Mul, Recurrent, SimpleRnn
from edgenn.quantization.weights import to_dynamic, to_float16

OPERATORS: dict[str, Recurrent] = {
    "lstm": Lstm(units=5),
    "gru": Gru(units=5),
    "gru_reset_before": Gru(units=5, reset_after=False),
    "rnn": SimpleRnn(units=5),
}
SETTINGS = {
    "plain": {},
    "initial": {"initial": True},
    "masked": {"masked": True},
    "masked_zeros": {"masked": True, "zero_output_for_mask": True},
}
NODES = ("LSTM", "GRU", "RNN")


def two_directions(one: Recurrent, other: Recurrent, *, batch=None, steps=None, features=3):
    """All outputs of both; the mask is shared, the initial states are not."""
    builder = GraphBuilder("both")
    x = builder.input("x", (batch, steps, features))
    mask = [builder.input("mask", (batch, steps), "bool")] if one.masked else []
    outputs = {}
    for seed, operator in enumerate((one, other)):
        states = []
        if operator.initial:
            states = [
                builder.input(f"{name}{seed}", (batch, operator.units))
                for name in operator.state_names
            ]
        names = add_recurrent(
            builder, operator, x, [*states, *mask], scope=f"layer_{seed}", seed=seed
        )
        outputs.update({name: name for name in names})
    joined = builder.add(Concatenation(-1), [names_of(0), names_of(1)], "joined")
    return builder.finish({"joined": joined, **outputs})


def names_of(layer: int) -> str:
    return f"layer_{layer}/sequence"


def recurrent_nodes(graph) -> int:
    nodes = kinds(checked(graph))
    assert "Loop" not in nodes
    return sum(nodes[kind] for kind in NODES)


def assert_equals(graph):
    inputs = recurrent_inputs(graph)
    results = evaluate(graph, inputs)
    expected = {public: results[name] for public, name in graph.outputs.items()}
    assert_close(expected, run(graph, inputs))


@pytest.mark.parametrize("reverse_first", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", OPERATORS)
def test_one_node(name, setting, reverse_first):
    operator = replace(OPERATORS[name], **SETTINGS[setting])
    graph = two_directions(
        replace(operator, reverse=reverse_first), replace(operator, reverse=not reverse_first)
    )
    assert recurrent_nodes(graph) == 1
    assert_equals(graph)


@pytest.mark.parametrize(("batch", "steps"), [(1, None), (None, 6), (4, 6), (None, 1)])
def test_fixed_sizes(batch, steps):
    graph = two_directions(Gru(units=5), Gru(units=5, reverse=True), batch=batch, steps=steps)
    assert recurrent_nodes(graph) == 1
    inputs = recurrent_inputs(graph, batch=batch or 4, steps=steps or 6)
    assert_equals_onnxruntime(graph, inputs, 2e-6)


@pytest.mark.parametrize("name", OPERATORS)
def test_each_direction_has_its_activations(name):
    """A list for each, parameters only where a function takes them."""
    one = with_activations(
        OPERATORS[name], activation("leaky_relu", 0.3), activation("hard_sigmoid", 0.2, 0.5)
    )
    other = with_activations(OPERATORS[name], activation("linear"), activation("sigmoid"))
    graph = two_directions(one, replace(other, reverse=True), steps=3)
    assert recurrent_nodes(graph) == 1
    assert_equals_onnxruntime(graph, recurrent_inputs(graph, steps=3), 1e-5)


@pytest.mark.parametrize(
    "other",
    [
        Gru(units=5),
        Gru(units=4, reverse=True),
        Gru(units=5, reset_after=False, reverse=True),
        Gru(units=5, initial=True, reverse=True),
        SimpleRnn(units=5, reverse=True),
    ],
    ids=["same direction", "units", "reset", "states", "class"],
)
def test_what_differs_stays_two_nodes(other):
    graph = two_directions(Gru(units=5), other)
    assert recurrent_nodes(graph) == 2
    assert_equals(graph)


def test_masks_of_different_directions():
    """Each direction may give zeros at masked steps, or not."""
    operator = Lstm(units=5, masked=True)
    graph = two_directions(operator, replace(operator, reverse=True, zero_output_for_mask=True))
    assert recurrent_nodes(graph) == 1
    assert_equals(graph)


def test_two_masks():
    builder = GraphBuilder("masks")
    operator = Gru(units=5, masked=True)
    x = builder.input("x", (None, None, 3))
    outputs = {}
    for layer, reverse in (("a", False), ("b", True)):
        mask = builder.input(f"mask_{layer}", (None, None), "bool")
        made = add_recurrent(builder, replace(operator, reverse=reverse), x, [mask], scope=layer)
        outputs.update({name: name for name in made})
    graph = builder.finish(outputs)
    assert recurrent_nodes(graph) == 2
    assert_equals(graph)


def test_the_second_reads_the_first():
    """Its initial state is the final one of the first: no node can hold both."""
    builder = GraphBuilder("chained")
    x = builder.input("x", (None, None, 3))
    operator = Gru(units=5, initial=True)
    states = add_inputs(builder, operator, None, None)
    first = add_recurrent(builder, operator, x, states, scope="a")
    second = add_recurrent(builder, replace(operator, reverse=True), x, [first[1]], scope="b")
    graph = builder.finish({"a": first[0], "b": second[0]})
    assert recurrent_nodes(graph) == 2
    assert_equals(graph)


@pytest.mark.parametrize("read_between", [False, True])
def test_states_made_between_the_two(read_between):
    """The pair stands at the second, whose initial state comes late; unless that is too late."""
    builder = GraphBuilder("late")
    operator = Gru(units=5, initial=True)
    x = builder.input("x", (None, None, 3))
    (state,) = add_inputs(builder, operator, None, None)
    first = add_recurrent(builder, operator, x, [state], scope="a")
    late = builder.add(Mul(), [state, first[1] if read_between else state], "late")
    second = add_recurrent(builder, replace(operator, reverse=True), x, [late], scope="b")
    total = builder.add(Add(), [first[0], second[0]], "total")
    graph = builder.finish({"total": total})
    assert recurrent_nodes(graph) == 1 + read_between
    assert_equals(graph)


@pytest.mark.parametrize("scheme", [to_float16, to_dynamic])
@pytest.mark.parametrize("name", OPERATORS)
def test_small_weights(name, scheme):
    """Rows of both directions with their scales, stored small."""
    operator = replace(OPERATORS[name], units=32)
    graph = two_directions(operator, replace(operator, reverse=True), features=64)
    assert recurrent_nodes(scheme(graph)) == 1
    assert_equals(scheme(graph))
    share = {to_float16: 0.5, to_dynamic: 0.25}[scheme]
    assert len(checked(scheme(graph))) < len(checked(graph)) * (share + 0.15)


@pytest.mark.parametrize("layers", [1, 3])
def test_layers_stay_time_first(layers):
    """One transpose before the first layer, one behind the last."""
    builder = GraphBuilder("deep")
    x = builder.input("x", (None, None, 6))
    for layer in range(layers):
        parts = []
        for reverse in (False, True):
            operator = Lstm(units=4, reverse=reverse)
            made = add_recurrent(builder, operator, x, scope=f"{layer}_{reverse}", seed=layer)
            parts.append(made[0])
        x = builder.add(Concatenation(-1), parts, f"joined_{layer}")
        x = builder.add(Add(), [x, x], f"doubled_{layer}")
    graph = builder.finish({"y": x})
    assert_equals(graph)
    nodes = kinds(checked(graph))
    assert nodes["LSTM"] == layers
    assert nodes["Transpose"] == 2

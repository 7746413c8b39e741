"""docs/supported.md says what the handlers do."""

from pathlib import Path

from edgenn.frontend.documentation import operators_of, supported_page
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import HANDLERS

PAGE = Path(__file__).parents[2] / "docs" / "supported.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == supported_page(), (
        "run python tools/generate_supported.py"
    )


def test_operators_are_found_through_helpers_and_tables() -> None:
    layers = keras.layers
    assert operators_of(HANDLERS[layers.MaxPooling2D]) == {"max_pool_2d", "transpose"}
    assert operators_of(HANDLERS[layers.GlobalAveragePooling2D]) == {"mean"}
    assert operators_of(HANDLERS[layers.BatchNormalization]) == {"add", "mul"}
    assert operators_of(HANDLERS[layers.Dropout]) == set()
    assert {"conv_2d", "depthwise_conv_2d", "pad"} <= operators_of(HANDLERS[layers.Conv1D])

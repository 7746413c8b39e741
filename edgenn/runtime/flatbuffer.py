"""Reads flatbuffers by a table of their schema, never outside the file.

Native readers follow the offsets of a file without looking, so that a damaged file takes the
process down. Here every offset is checked before it is followed: what this module has read to the
end can be handed to them. Format: FlatBuffers "Internals" document (flatbuffers.dev/internals).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Literal

from edgenn.errors import ArtifactError

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")

Kind = Literal["scalar", "text", "vector", "table", "tables"]


@dataclass(frozen=True)
class Field:
    """One field of a table.

    Attributes:
        slot: Its number in the schema.
        kind: A scalar, a text, a vector of scalars, a table or a vector of tables.
        format: ``struct`` letter of a scalar or of a vector's elements.
        table: The schema's name of the table (or tables).
        default: Of a scalar that is not written.
        selector: Of a union: the field, read before, that says which table it is.
        cases: Of a union: the selector's value → table; ``table`` for all other values.
    """

    slot: int
    kind: Kind
    format: str = ""
    table: str = ""
    default: int = 0
    selector: str = ""
    cases: Mapping[int, str] = dataclass_field(default_factory=dict)


Fields = Mapping[str, Field]
Values = dict[str, Any]


def scalar(slot: int, format_: str, default: int = 0) -> Field:
    return Field(slot, "scalar", format_, default=default)


def text(slot: int) -> Field:
    return Field(slot, "text")


def vector(slot: int, format_: str) -> Field:
    return Field(slot, "vector", format_)


def table(slot: int, name: str) -> Field:
    return Field(slot, "table", table=name)


def union(slot: int, selector: str, cases: Mapping[int, str], otherwise: str) -> Field:
    return Field(slot, "table", table=otherwise, selector=selector, cases=cases)


def tables(slot: int, name: str) -> Field:
    return Field(slot, "tables", table=name)


class Reader:
    """Reads tables of one file.

    Args:
        data: The whole file.
        schema: Table name → its fields; fields that are not listed are not followed.
        where: The file's name, for errors.
    """

    def __init__(self, data: Any, schema: Mapping[str, Fields], where: str) -> None:
        self.data = data
        self.size = len(data)
        self.schema = schema
        self.where = where
        # every table takes four bytes: more of them means offsets that point back
        self.tables_left = self.size // 4

    def root(self, name: str) -> Values:
        """The root table.

        Raises:
            ArtifactError: An offset that leaves the file.
        """
        self._require(8, 0, "header")
        return self.table(name, _U32.unpack_from(self.data, 0)[0])

    def table(self, name: str, position: int) -> Values:
        """Field name → value of a table; ``None`` for a text, vector or table that is absent."""
        self.tables_left -= 1
        if self.tables_left < 0:
            raise self._damaged("it has more tables than bytes for them")
        self._require(4, position, name)
        vtable = position - int(_I32.unpack_from(self.data, position)[0])
        self._require(4, vtable, name)
        vtable_size = _U16.unpack_from(self.data, vtable)[0]
        table_size = _U16.unpack_from(self.data, vtable + 2)[0]
        self._require(max(vtable_size, 4), vtable, name)
        self._require(max(table_size, 4), position, name)
        values: Values = {}
        for key, field in self.schema[name].items():
            entry = 4 + 2 * field.slot
            offset = 0
            if entry + 2 <= vtable_size:
                offset = _U16.unpack_from(self.data, vtable + entry)[0]
            where = position + offset if offset else None
            values[key] = self._field(field, where, name, values.get(field.selector, 0))
        return values

    def _field(self, field: Field, position: int | None, where: str, case: int) -> Any:
        if position is None:
            return field.default if field.kind == "scalar" else None
        if field.kind == "scalar":
            self._require(struct.calcsize("<" + field.format), position, where)
            return struct.unpack_from("<" + field.format, self.data, position)[0]
        self._require(4, position, where)
        target = position + _U32.unpack_from(self.data, position)[0]
        if field.kind == "table":
            return self.table(field.cases.get(case, field.table), target)
        count, start = self._vector(field, target, where)
        if field.kind == "text":
            return bytes(self.data[start : start + count]).decode("utf-8", "replace")
        if field.kind == "vector":
            return Vector(self.data, field.format, count, start)
        entries = range(start, start + 4 * count, 4)
        return [
            self.table(field.table, entry + _U32.unpack_from(self.data, entry)[0])
            for entry in entries
        ]

    def _vector(self, field: Field, position: int, where: str) -> tuple[int, int]:
        """Number of elements and the position of the first."""
        self._require(4, position, where)
        count = _U32.unpack_from(self.data, position)[0]
        element = {"text": 1, "tables": 4}.get(field.kind) or struct.calcsize("<" + field.format)
        terminator = 1 if field.kind == "text" else 0  # a zero byte that C readers stop at
        self._require(count * element + terminator, position + 4, where)
        return count, position + 4

    def _require(self, size: int, position: int, where: str) -> None:
        if position < 0 or position + size > self.size:
            raise self._damaged(f"its {where} lies outside the {self.size} bytes")

    def _damaged(self, problem: str) -> ArtifactError:
        return ArtifactError(
            f"{self.where} is damaged: {problem}",
            "the file is cut off or not what its name says; convert or copy it again",
        )


@dataclass(frozen=True)
class Vector:
    """A vector of scalars that lies inside the file; decoded when asked for."""

    data: Any
    format: str
    count: int
    start: int

    def values(self) -> list[Any]:
        return list(struct.unpack_from(f"<{self.count}{self.format}", self.data, self.start))

    def __len__(self) -> int:
        return self.count

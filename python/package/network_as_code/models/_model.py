"""What the models have in common: the surface that pydantic's have, without pydantic.

To import pydantic takes longer than everything else that this package does at its start. Inside
other people's pydantic models ours work all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self


class Model:
    """Named values that compare, show and dump themselves."""

    __slots__ = ()

    #: The fields: their names, and what they are called on the wire.
    _fields: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name, _ in self._fields:
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name, _ in self._fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._shown())})"

    def __str__(self) -> str:
        return " ".join(self._shown())

    def _shown(self) -> Iterator[str]:
        return (f"{name}={value!r}" for name, value in self)

    def model_dump(
        self,
        *,
        mode: str = "python",
        by_alias: bool | None = None,
        exclude_none: bool = False,
        include: Any = None,
        exclude: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        """The values as a dictionary; with `by_alias`, named as on the wire."""
        dumped = {}
        for name, alias in self._fields:
            value = getattr(self, name)
            if exclude_none and value is None:
                continue
            if (include is not None and name not in include) or (exclude and name in exclude):
                continue
            key = alias if by_alias else name
            dumped[key] = _plain(value, mode, by_alias, exclude_none)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, **how: Any) -> str:
        """The same as JSON."""
        import json

        separators = None if indent else (",", ":")
        dumped = self.model_dump(mode="json", **how)
        return json.dumps(dumped, indent=indent, separators=separators, ensure_ascii=False)

    def dict(self, **how: Any) -> dict[str, Any]:
        """The name that `model_dump` had before."""
        return self.model_dump(**how)

    def json(self, **how: Any) -> str:
        """The name that `model_dump_json` had before."""
        return self.model_dump_json(**how)

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """A model of this class from one, or from a dictionary with either kind of names."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            names = ", ".join(name for name, _ in cls._fields)
            wanted = f"give a {cls.__name__}, or a dictionary with {names}"
            raise InvalidParameter(f"{cls.__name__}: {wanted}; not {value!r}")
        try:
            return cls(**value)
        except TypeError as error:
            raise InvalidParameter(str(error)) from None

    @classmethod
    def parse_obj(cls, value: Any) -> Self:
        """The name that `model_validate` had before."""
        return cls.model_validate(value)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with some values replaced; `deep`: with what is inside copied, too."""
        values = {name: _copied(value) if deep else value for name, value in self}
        return self._again({**values, **(update or {})})

    def _again(self, values: Mapping[str, Any]) -> Self:
        return type(self)(**values)

    def copy(self, **how: Any) -> Self:
        """The name that `model_copy` had before."""
        return self.model_copy(**how)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        # Only pydantic calls this, so it is there.
        from pydantic_core import core_schema  # type: ignore[import-not-found,unused-ignore]

        def dump(model: Model, info: Any) -> Any:
            return model.model_dump(mode=info.mode, by_alias=info.by_alias)

        return core_schema.no_info_plain_validator_function(
            cls.model_validate,
            serialization=core_schema.plain_serializer_function_ser_schema(dump, info_arg=True),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """What OpenAPI tells of it: the members, named as on the wire."""
        members: Any = {alias: {} for _, alias in cls._fields}
        return {"title": cls.__name__, "type": "object", "properties": members}


def _copied(value: Any) -> Any:
    if isinstance(value, Model):
        return value.model_copy(deep=True)
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any, mode: str, by_alias: bool | None, exclude_none: bool) -> Any:
    if isinstance(value, Model):
        return value.model_dump(mode=mode, by_alias=by_alias, exclude_none=exclude_none)
    if isinstance(value, list):
        return [_plain(item, mode, by_alias, exclude_none) for item in value]
    if mode == "json" and hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value


def named(model: str, known: tuple[tuple[str, str], ...], given: dict[str, Any]) -> dict[str, Any]:
    """The values that were given under their names on the wire, under their own."""
    names = {alias: name for name, alias in known}
    for alias in given:
        if alias not in names:
            there = ", ".join(name for name, _ in known)
            raise TypeError(f"{model} has no {alias!r}: it has {there}")
    return {names[alias]: value for alias, value in given.items()}


def text(value: object) -> str | None:
    """A value as text: addresses may come as objects of `ipaddress`."""
    return value if value is None or type(value) is str else str(value)


def whole(what: str, value: Any) -> int:
    """A whole number, which may come as text."""
    if type(value) is int:
        return value
    try:
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise InvalidParameter(f"{what} is a whole number, not {value!r}")

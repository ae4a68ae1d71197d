"""What report models are made of: closed frozen models, text and values that JSON can hold, sentences for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    PlainSerializer,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from nsfwforensics.core.documents import MOST_LEVELS
from nsfwforensics.core.messages import Message, as_message, restored
from nsfwforensics.core.storable import is_storable, storable, storable_text

_LOOKED_THROUGH = object()
"""The context in which JSON is validated that holds nothing that :func:`storable` would change."""


def _storable(value: Any, info: ValidationInfo) -> Any:
    return value if info.context is _LOOKED_THROUGH else storable(value)


class _FromPython:
    """A validator for values from Python alone: what it looks for cannot stand in JSON text.

    Called for every text of a report that is read, it would take longer than the rest.

    Args:
        made: Makes a value storable.
        from_json: What a value from JSON must be; the same as one from Python if omitted.
    """

    def __init__(self, made: Callable[[Any], Any], from_json: CoreSchema | None = None) -> None:
        self._made, self._from_json = made, from_json

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        return core_schema.json_or_python_schema(
            json_schema=self._from_json or inner,
            python_schema=core_schema.no_info_before_validator_function(self._made, inner),
        )


_ANY_JSON = core_schema.with_info_before_validator_function(_storable, core_schema.any_schema())
_ANY_OBJECT = core_schema.with_info_before_validator_function(
    _storable, core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())
)

Text = Annotated[str, _FromPython(storable_text)]


def _as_is(value: Any) -> Any:
    return value


# `storable` saw to it that JSON can hold them: by its type every value would be looked at in Python once more.
Json = Annotated[JsonValue, _FromPython(storable, _ANY_JSON), PlainSerializer(_as_is)]
JsonObject = Annotated[
    dict[str, JsonValue], _FromPython(storable, _ANY_OBJECT), PlainSerializer(_as_is, return_type=dict[str, Any])
]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Coordinate = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]


class Model(BaseModel):
    """Base of all report models: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Reports are pickled on their way. pydantic's own state also names the fields that were set, of every model.
    def __getstate__(self) -> dict[Any, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[Any, Any]) -> None:
        _set_dict(self, "__dict__", state)
        _set_fields(self, _fields_of(type(self)))
        _set_extra(self, None)
        _set_private(self, None)


# Of the one process that keeps all reports, making them out of pickles is the largest share.
_set_dict = object.__setattr__
_set_fields, _set_extra, _set_private = (
    BaseModel.__dict__[f"__pydantic_{name}__"].__set__ for name in ("fields_set", "extra", "private")
)


@cache
def _fields_of(model: type[Model]) -> set[str]:
    """All fields of a model; never changed, because a copy that gets other values gets a set of its own."""
    return set(model.model_fields)


ModelT = TypeVar("ModelT", bound=Model)


def read_model(model: type[ModelT], raw: bytes | str) -> ModelT:
    """Reads a saved model from JSON; what it means is what ``model_validate_json`` makes of it, sooner.

    Args:
        model: Its class.
        raw: JSON text.

    Raises:
        ValidationError: It is no JSON, or no such model.
    """
    return model.model_validate_json(raw, context=_LOOKED_THROUGH if is_storable(raw) else None)


@dataclass(frozen=True)  # no model: most objects of a report are these, and a plain one comes out of a pickle sooner
class Wording:
    """How a sentence was made: its English template (or singular and plural) and the values in it."""

    __pydantic_config__ = Model.model_config

    template: str | tuple[str, str]
    values: JsonObject = field(default_factory=dict)


WordingByField = dict[str, Wording]


class Worded(Model):
    """A model with sentences for people; each has a field ``wording``, last among its fields.

    Attributes:
        wording: How sentences were made, by where they stand: a field (``explanation``), an item of a list
            (``not_checked.0``), a value inside data (``data.changes.1``). What a view in another language is made from;
            the text itself is the sentence in English. Of fields only sentences with values are kept, as another is its
            own template; inside data, where text of a file may stand too, it is this that makes a text a sentence.
    """

    if TYPE_CHECKING:
        wording: WordingByField

    @model_validator(mode="before")
    @classmethod
    def _keep_wording(cls, value: object, info: ValidationInfo) -> object:
        """Keeps how messages were made before they become plain text."""
        if info.mode == "json" or not isinstance(value, Mapping):
            return value
        fields = ((key, item) for key, item in value.items() if key != "wording")
        found = {place: message.stored() for key, item in fields for place, message in _messages(key, item)}
        return {**value, "wording": {**value.get("wording", {}), **found}} if found else value

    def said(self, field: str) -> str:
        """The sentence in a field as a message that can be put into another one.

        Args:
            field: Its name, or ``field.0`` for an item of a list.
        """
        name, _, index = field.partition(".")
        text = getattr(self, name)
        text = str(text[int(index)] if index else text)
        if field not in self.wording:  # a sentence without values is its own template
            return as_message(text)
        return self._made(field, text)

    def said_inside(self, place: str, text: str) -> str:
        """A text inside data as a message, or as it is where it is no sentence of ours.

        Args:
            place: Where it stands, such as ``data.changes.1``.
            text: The text.
        """
        return self._made(place, text) if place in self.wording else text

    def _made(self, place: str, text: str) -> str:
        try:
            message = restored(vars(self.wording[place]))
        except (KeyError, TypeError):  # a report that was tampered with: its English text still stands
            return text
        return message if message == text else text  # a copy may have got another sentence


def _messages(
    place: str, item: object, *, inside: bool = False, levels: int = MOST_LEVELS
) -> Iterator[tuple[str, Message]]:
    """The messages in a field's value, each with its place; inside mappings those without values too."""
    if isinstance(item, Message):
        if inside or item.values:
            yield place, item
    elif levels == 0:
        return  # what lies deeper is not kept
    elif isinstance(item, (list, tuple)):
        for index, part in enumerate(item):
            yield from _messages(f"{place}.{index}", part, inside=inside, levels=levels - 1)
    elif isinstance(item, Mapping):
        for key, part in item.items():
            yield from _messages(f"{place}.{storable_text(str(key))}", part, inside=True, levels=levels - 1)

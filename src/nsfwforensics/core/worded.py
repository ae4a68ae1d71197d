"""What report models are made of: closed frozen models, text and values that JSON can hold, sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from nsfwforensics.core.messages import Message, placeholders, restored
from nsfwforensics.core.storable import storable, storable_text

Text = Annotated[str, BeforeValidator(storable_text)]
Json = Annotated[JsonValue, BeforeValidator(storable)]
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(storable)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Model(BaseModel):
    """Base of all report models: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(Model):
    """How a sentence was made: its English template (or singular and plural) and the values in it."""

    template: str | tuple[str, str]
    values: JsonObject = Field(default_factory=dict)


WordingByField = dict[str, Wording]


class Worded(Model):
    """A model with sentences for people; each has a field ``wording``, last among its fields.

    Attributes:
        wording: By field name (``not_checked.0`` for an item of a list), how those sentences were made that have
            values in them. What a view in another language is made from; the field itself is the sentence in English.
    """

    if TYPE_CHECKING:
        wording: WordingByField

    @model_validator(mode="before")
    @classmethod
    def _keep_wording(cls, value: object) -> object:
        """Keeps how messages were made before they become plain text."""
        if not isinstance(value, Mapping):
            return value
        found = {
            name: message.stored()
            for key, item in value.items()
            for name, message in _messages(key, item)
            if message.values
        }
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
            return text if placeholders(text) else Message(text, {})
        message = restored(self.wording[field].model_dump())
        return message if message == text else text  # a copy may have got another sentence


def _messages(name: str, item: object) -> Iterator[tuple[str, Message]]:
    if isinstance(item, Message):
        yield name, item
    elif isinstance(item, (list, tuple)):
        yield from ((f"{name}.{index}", part) for index, part in enumerate(item) if isinstance(part, Message))

"""Who does it: what software cannot know, a name or a small TOML file that says more, or "not supplied"."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from nsfwforensics.core.documents import DocumentError, load_toml
from nsfwforensics.errors import UsageError

NOT_SUPPLIED = "not supplied"
MOST_BYTES = 64 * 1024


class Operator(BaseModel):
    """What a file that ``--operator`` names may say. Every field is optional, and only text.

    Attributes:
        name: Who packs.
        organisation: For whom.
        authority: On what authority: a mandate, a warrant, the consent of the person in the picture.
        case_number: The number of the case there.
        contact: How to reach them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: StrictStr = ""
    organisation: StrictStr = ""
    authority: StrictStr = ""
    case_number: StrictStr = ""
    contact: StrictStr = ""

    def said(self) -> dict[str, str]:
        """Each field, or "not supplied"."""
        return {name: getattr(self, name).strip() or NOT_SUPPLIED for name in type(self).model_fields}


def load_operator(given: Path | str | None) -> Operator:
    """Who does it, as ``--operator`` says; nothing gives an operator of whom nothing is known.

    Args:
        given: A name, or the path of a TOML file, which ends in ``.toml``.

    Raises:
        UsageError: It cannot be read, is no TOML, or holds something that is no field or no text.
    """
    if given is None:
        return Operator()
    if not str(given).lower().endswith(".toml"):
        return Operator(name=str(given))
    path = Path(given)
    try:
        return Operator.model_validate(load_toml(path, MOST_BYTES))
    except (OSError, DocumentError) as error:
        raise UsageError(f"operator file {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(Operator.model_fields)
        raise UsageError(f"operator file {path}: {where}: {first['msg']}; the fields are {known}") from error

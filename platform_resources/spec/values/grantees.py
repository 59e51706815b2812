"""Who may have a role: a person, a group of persons, or a product."""

import re

from platform_resources.spec.values.names import is_name

_PERSON = re.compile(r"[A-Za-z0-9._%+-]+(@[A-Za-z0-9.-]+)?")
_GROUP = re.compile(r"team:[A-Za-z0-9_-]+")


def is_same(name: str, other: str) -> bool:
    """Whether two names mean the same person: capitals and spaces around them make no difference."""
    return name.strip().casefold() == other.strip().casefold()


def subject(text: str) -> str:
    """The text if it names somebody who can have a role. Raises ValueError."""
    name = text.removeprefix("product:")
    if (name != text and is_name(name)) or _GROUP.fullmatch(text) or _PERSON.fullmatch(text):
        return text
    raise ValueError(f'"{text}" cannot have a role; write an e-mail address, a user name, team:name or product:name')

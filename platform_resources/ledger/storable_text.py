"""Remove characters that some database cannot store."""


def storable(told: str) -> str:
    """The text without what some database refuses: PostgreSQL has no NUL characters, no encoding has lone surrogates."""
    if told.isascii() and "\0" not in told:
        return told
    return told.replace("\0", "\ufffd").encode("utf-8", "replace").decode()

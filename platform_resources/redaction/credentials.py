"""Recognise credentials in text from outside: errors of sources, databases, dbt."""

import re
from collections.abc import Iterator

# What follows `password:` and is none: what is said of one, or that there is none.
_NOTHING = """
    true false yes no none null nil undefined default empty missing required invalid unknown expected given wrong expired denied is was not
    must may can cannot for of in the an and or string str int integer varchar text bytes bool boolean number object field column value
    type
"""
# Words that stand in many messages: where one of them is somebody's password, it is hidden only where it is said to be one.
_FREQUENT = """
    user username password passwd secret token credentials admin root guest public private internal local localhost master production
    development testing staging sample europe duckdb postgres postgresql snowflake sqlite dagster warning orders customers products values
    columns failed
"""
_NO_VALUES = frozenset(_NOTHING.split())
# As our own messages write what somebody has to fill in.
_PLACEHOLDERS = frozenset({"USER", "PASSWORD"})
ORDINARY = _NO_VALUES | frozenset(_FREQUENT.split())

_QUOTED = r"""\\{0,4}"(?:[^"\\]|\\.)*?\\{0,4}"|\\{0,4}'(?:[^'\\]|\\.|'')*?\\{0,4}'"""
_BARE = r"""[^\s,;&'"()\[\]{}<>\\]+"""
_BYTES = r"""(?:b(?=["']))?"""
_VALUE = rf"(?P<secret>{_QUOTED}|\{{[^}}]*\}}|{_BARE})"
_NAME = r"""(?:pass(?:word|wd|phrase|code)|pwd|secret|credentials?|(?:api|access|account|private|secret|shared|encryption|signing|master|
    storage|service|auth|client|subscription|consumer|license|webhook|sas)[_\-.\ ]?key(?:[_\-]?id)?|accountkey|apikey|sharedaccesskey|
    key_id|sharedaccesssignature|(?:access|auth|refresh|id|session|bearer|security|csrf|sas|api|user|bot|oauth|secret|client|private)[_\-.]?
    token|authtoken|client[_\-]?secret|connection[_\-]?string)"""
# A word of prose is none, as in "bearer authentication".
_TOKEN_LIKE = r"(?=[^\s'\"]*[0-9_~+/=])"

# In each, what is called `secret` is hidden and the rest stays.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE | re.VERBOSE | re.DOTALL)
    for pattern in (
        r"(?P<secret>-----BEGIN[ ][A-Z0-9 ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----.*?(?:-----END[ ][A-Z0-9 ]{0,40}-----|\Z))",
        # scheme://user:password@host, where the password may hold what ought to be escaped; a port is no password.
        r"""(?<![a-z0-9+.\-])[a-z][a-z0-9+.\-]{1,30}://[^\s/?\#:@'"<>]{0,200}:(?!\d{1,5}(?:[/?\#\s,]|$))(?P<secret>[^\s'"<>]{1,500})@""",
        # scheme://token@host
        r"""(?<![a-z0-9+.\-])(?!mailto)[a-z][a-z0-9+.\-]{1,30}://(?P<secret>[^\s/?\#:@'"<>]{1,500})@""",
        r"""\b[\w.\-]{1,60}:(?P<secret>[^\s'"@]{1,500})@(?:tcp|unix)\(""",
        r"""\bjdbc:oracle:\w+:[^\s/]{1,60}/(?P<secret>[^\s'"]{1,500})@""",
        r"""(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/\w+)/(?P<secret>[^\s'"<>?]+)""",
        r"""[?&;](?:[\w\-]*(?:token|secret|signature|password|passwd|key|credential)|pass|pwd|auth|sig|sas|code)=(?P<secret>[^&\s'"<>\#]+)""",
        # Authorization: Bearer …, whatever quotes a dictionary of headers has around it.
        r"""\b(?:proxy-)?authorization\\{0,4}["']?\s*[:=,]\s*(?:b(?=["']))?\\{0,4}["']?(?:(?:basic|bearer|token|digest|apikey|negotiate)\s+)?(?P<secret>[^\s"',;\\]+)""",
        rf"\b(?:bearer|basic)\s+(?P<secret>{_TOKEN_LIKE}[a-z0-9._~+/=\-]{{8,}})",
        r"""\b(?:set-)?cookie\\{0,4}["']?\s*[:=]\s*\\{0,4}["']?(?P<secret>[^\r\n"'\\]+)""",
        # password=…, "password": "…", ('password', '…'), --password …
        rf"""(?<![\w.\-])[\w.\-]{{0,60}}{_NAME}(?:\\{{0,4}}["'])?\s*(?:=>|==?|:)\s*{_BYTES}{_VALUE}""",
        rf"""\\{{0,4}}["'][\w.\-]{{0,60}}{_NAME}\\{{0,4}}["']\s*,\s*{_BYTES}(?P<secret>{_QUOTED})""",
        rf"""(?<![\w\-])--[\w\-]{{0,60}}{_NAME}[\s=]+{_VALUE}""",
        r"""\b(?:password|passphrase|identified\s+by|key_id|(?-i:SECRET|TOKEN))\s+(?P<secret>'(?:[^'\\]|\\.|'')*')""",
        # token=…: in prose, what is called a token is a word of some grammar.
        rf"""(?<![\w.\-])[\w.\-]{{0,60}}token(?:\\{{0,4}}["'])?\s*=\s*{_BYTES}{_VALUE}""",
        rf"""\\{{0,4}}["']token\\{{0,4}}["']\s*:\s*{_BYTES}{_VALUE}""",
        r"""\btoken:\s+(?P<secret>(?=[^\s'"]*\d)[\w.~+/=\-]{8,})""",
    )
)
# Tokens that are known by how they begin.
_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?P<secret>(?:AKIA|ASIA|AIDA|AROA)[0-9A-Z]{12,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}"
    r"|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|sk[-_](?:live_|test_|proj-|ant-)?[\w-]{16,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|dapi[0-9a-f]{32}"
    r"|mesh_[\w-]{40,}|npm_\w{30,}|pypi-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)"
)
_QUOTES = re.compile(r"""^\\{0,4}["'{]|\\{0,4}["'}]$""")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each credential in the text, unordered; they may overlap."""
    for pattern in (*_PATTERNS, _KNOWN):
        for match in pattern.finditer(text):
            begin, end = _bare(text, *match.span("secret"))
            value = text[begin:end]
            if value.lower().strip("*.") not in _NO_VALUES | {""} and value not in _PLACEHOLDERS:
                yield begin, end


def _bare(text: str, begin: int, end: int) -> tuple[int, int]:
    """Without the quotes around it, so that a text that was JSON stays it."""
    if end - begin > 1:
        opening = _QUOTES.match(text[begin:end])
        closing = _QUOTES.search(text[begin + (len(opening.group()) if opening else 0) : end]) if opening else None
        return begin + (len(opening.group()) if opening else 0), end - (len(closing.group()) if closing else 0)
    return begin, end

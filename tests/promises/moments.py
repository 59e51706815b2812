"""Short ways to write times and slices, shared by the tests of this folder."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from platform_resources.promises.slices import Share, Slice

few = settings(max_examples=40)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 15, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slices(states, length=DAY, shares=()):
    """One slice per letter: g(ood) b(ad) u(nknown) e(xcluded) p(ending), m(issing, counts as bad)."""
    words = {"g": "good", "b": "bad", "u": "unknown", "e": "excluded", "p": "pending", "m": "bad"}
    known = dict(enumerate(shares))
    return tuple(
        Slice(LONG_AGO + at * length, LONG_AGO + (at + 1) * length, words[letter], known.get(at), measured=letter not in "ump")
        for at, letter in enumerate(states)
    )


def shares(good, total=100):
    return Share(good, total)


def states(found):
    return "".join(one.state[0] for one in found)


moments = st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 15)).map(lambda moment: moment.replace(tzinfo=UTC))
all_states = st.text("gbuepm", max_size=40)
targets = st.decimals(0, 100, places=1).map(float)
methods = st.sampled_from(["timeslices", "ratio-timeslices", "occurrences"])

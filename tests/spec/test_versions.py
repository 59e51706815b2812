"""Versions and ranges, as npm reads them: https://github.com/npm/node-semver#ranges."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.spec.values.versions import Version, VersionRange

RANGES = [
    ("^1", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0"]),
    ("^1.2.3", ["1.2.3", "1.99.0"], ["1.2.2", "2.0.0"]),
    ("^0.2", ["0.2.0", "0.2.9"], ["0.3.0", "0.1.9"]),
    ("^0.2.3", ["0.2.3", "0.2.9"], ["0.2.2", "0.3.0"]),
    ("^0.0.3", ["0.0.3"], ["0.0.2", "0.0.4"]),
    ("^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]),
    ("^0", ["0.0.0", "0.9.9"], ["1.0.0"]),
    ("~1.2", ["1.2.0", "1.2.9"], ["1.3.0", "1.1.9"]),
    ("~1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]),
    ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
    ("1", ["1.0.0", "1.5.0"], ["2.0.0", "0.9.0"]),
    ("1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
    ("1.2.3", ["1.2.3"], ["1.2.4", "1.2.2"]),
    ("=1.2.3", ["1.2.3"], ["1.2.4"]),
    (">=1.2 <3", ["1.2.0", "2.9.9"], ["1.1.9", "3.0.0"]),
    (">= 1.2, < 3", ["1.2.0", "2.9.9"], ["1.1.9", "3.0.0"]),
    (">1.2", ["1.3.0"], ["1.2.9"]),
    (">1.2.3", ["1.2.4"], ["1.2.3"]),
    ("<=1.2", ["1.2.9", "0.0.0"], ["1.3.0"]),
    ("*", ["0.0.0", "99.0.0"], []),
]
NO_RANGES = ["", "latest", "^", "1.2.3.4", "^1 || ^2", "v1", "-1", "1.x", ">=", "1..2"]
NO_VERSIONS = ["", "1", "1.0", "v1.0.0", "1.0.0-beta", "1.0.0.0", "one", "1.0.0000000001", "-1.0.0"]
numbers = st.integers(0, 12)
versions = st.builds(Version, numbers, numbers, numbers)


@pytest.mark.parametrize(("text", "inside", "outside"), RANGES)
def test_a_range_holds_what_npm_says_it_holds(text, inside, outside):
    versions = VersionRange.parse(text)
    assert [v for v in inside if Version.parse(v) not in versions] == []
    assert [v for v in outside if Version.parse(v) in versions] == []


@pytest.mark.parametrize("text", NO_RANGES)
def test_what_is_no_range_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r'write one such as \^1, ~1.2, 1.2.3 or ">=1.2 <3"'):
        VersionRange.parse(text)


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_what_is_no_version_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"is not a version; write major.minor.patch, such as 1.0.0"):
        Version.parse(text)


@given(versions)
def test_a_version_reads_back_as_itself(version):
    assert Version.parse(str(version)) == version


@given(versions, versions)
def test_a_caret_range_never_crosses_the_first_number_that_is_not_zero(base, other):
    first = next((i for i, part in enumerate((base.major, base.minor, base.patch)) if part), 2)
    same = (other.major, other.minor, other.patch)[: first + 1] == (base.major, base.minor, base.patch)[: first + 1]
    assert (other in VersionRange.parse(f"^{base}")) == (same and other >= base)


@given(versions, versions)
def test_a_tilde_range_keeps_major_and_minor(base, other):
    same = (other.major, other.minor) == (base.major, base.minor)
    assert (other in VersionRange.parse(f"~{base}")) == (same and other >= base)


@given(versions, versions, versions)
def test_two_bounds_hold_exactly_what_lies_between(low, high, other):
    assert (other in VersionRange.parse(f">={low} <{high}")) == (low <= other < high)


@given(versions, versions)
def test_versions_are_ordered_by_their_numbers_not_by_their_text(one, other):
    assert (one < other) == ((one.major, one.minor, one.patch) < (other.major, other.minor, other.patch))


@given(st.text(max_size=15))
def test_any_text_is_a_range_or_a_value_error(text):
    with suppress(ValueError):
        assert str(VersionRange.parse(text)) == text.strip()

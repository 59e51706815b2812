"""Intervals of shares, tolerances, and how numbers are said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from platform_resources.capabilities.support.intervals import wilson
from platform_resources.capabilities.support.shares import bytes_text, plain_number
from platform_resources.capabilities.support.tolerances import Tolerance, ToleranceText, tolerance_of

# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3.
PUBLISHED = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("part", "whole", "low", "high"), PUBLISHED)
def test_the_interval_is_as_published(part, whole, low, high):
    assert wilson(part, whole, 95) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(50, 99.9))
def test_an_interval_holds_its_share_and_is_mirrored(whole, share, confidence):
    part = round(share * whole)
    low, high = wilson(part, whole, confidence)
    assert 0 <= low <= part / whole <= high <= 1 and low < high
    assert wilson(whole - part, whole, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-9)


TOLERANCES = [
    (0, "0", Tolerance(0, False)),
    (0.01, "0.01", Tolerance(pytest.approx(0.01), False)),
    (1e-7, "0.0000001", Tolerance(pytest.approx(1e-7), False)),
    ("0.5 %", "0.5 %", Tolerance(pytest.approx(0.005), True)),
    ("1%", "1 %", Tolerance(pytest.approx(0.01), True)),
]


@pytest.mark.parametrize(("written", "kept", "meant"), TOLERANCES)
def test_a_tolerance_is_an_amount_or_a_share(written, kept, meant):
    assert TypeAdapter(ToleranceText).validate_python(written) == kept
    found = tolerance_of(kept)
    assert (float(found.size), found.relative) == (meant.size, meant.relative)


@pytest.mark.parametrize("written", [-1, True, "about", "5 percent", "%", "-1 %", float("nan"), float("inf"), None])
def test_what_is_no_tolerance_is_refused(written):
    with pytest.raises(ValidationError):
        TypeAdapter(ToleranceText).validate_python(written)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (5, "5"), (-0.5, "-0.5"), (1234.5678, "1,234.57"), (0.00123456789, "0.00123457"), (1e-9, "1e-09"), (2501250.01, "2,501,250"),
     (12345678.26, "12,345,678.3"), (1e20, "1e+20"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_are_said_with_the_digits_that_count(number, text):
    assert plain_number(number) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5.25e6, "5.2 MB"), (3e13, "30.0 TB")])
def test_bytes_are_said_in_powers_of_a_thousand(count, text):
    assert bytes_text(count) == text

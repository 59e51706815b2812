"""Robust scales and quantiles of Student's t."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.learned.robust import bound, degrees_of_freedom, incomplete_beta, median, scale, t_quantile, t_tail


@pytest.mark.parametrize(
    ("tail", "degrees", "published"),  # Fisher and Yates, "Statistical Tables for Biological, Agricultural and Medical Research", table III
    [
        (0.10, 1, 3.078), (0.025, 1, 12.706), (0.0005, 1, 636.619),
        (0.05, 2, 2.920), (0.005, 3, 5.841), (0.001, 3, 10.215),
        (0.025, 5, 2.571), (0.0005, 7, 5.408), (0.025, 10, 2.228), (0.01, 20, 2.528),
        (0.001, 30, 3.385), (0.05, 50, 1.676), (0.001, 100, 3.174), (0.5, 4, 0.0),
    ],
)  # fmt: skip
def test_quantiles_of_t_are_those_of_published_tables(tail, degrees, published):
    assert t_quantile(tail, degrees) == pytest.approx(published, abs=0.0006)


def test_with_very_many_degrees_the_bound_is_the_sensitivity_itself():
    assert bound(3, 1e7) == pytest.approx(3, abs=1e-4)
    assert bound(3, 3) > 2 * bound(3, 30) > 6


@given(st.floats(0.0001, 0.4999), st.floats(0.5, 200))
def test_the_tail_beyond_a_quantile_is_the_one_asked_for(tail, degrees):
    assert t_tail(t_quantile(tail, degrees), degrees) == pytest.approx(tail, rel=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.2, 50), st.floats(0.2, 50))
def test_the_incomplete_beta_function_is_its_own_mirror(x, a, b):
    assert incomplete_beta(x, a, b) + incomplete_beta(1 - x, b, a) == pytest.approx(1)
    assert incomplete_beta(x, 1, b) == pytest.approx(1 - (1 - x) ** b)


@pytest.mark.parametrize(("tail", "degrees"), [(0, 5), (0.6, 5), (0.1, 0), (math.nan, 5)])
def test_a_tail_that_cannot_be_is_refused(tail, degrees):
    with pytest.raises(ValueError) as refused:
        t_quantile(tail, degrees)
    assert str(refused.value) == (f"no t has a tail of {tail} with {degrees} degrees of freedom; allowed: 0 < tail <= 0.5 and degrees > 0")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_the_median_is_that_of_the_standard_library(values):
    assert median(values) == statistics.median(values)


def test_no_values_have_no_median():
    with pytest.raises(ValueError, match=r"^the median of no values is not defined$"):
        median([])


def test_the_scale_is_the_standard_deviation_without_the_outliers():
    chance = random.Random(4)
    healthy = [chance.gauss(5, 2) for _ in range(2000)]
    assert scale(healthy) == pytest.approx(2, rel=0.03)
    assert scale([*healthy, *[1e6] * 400]) == pytest.approx(2, rel=0.35)


def test_errors_that_are_mostly_equal_still_have_a_scale():
    assert scale([0.0] * 9 + [1.0]) == pytest.approx(1.2533 * 0.1)
    assert scale([7.0] * 9) == 0


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(0.1, 100))
def test_a_scale_grows_with_its_errors(errors, times):
    assert scale([error * times for error in errors]) == pytest.approx(scale(errors) * times, rel=1e-3, abs=1e-6)


def test_few_errors_have_few_degrees_but_never_fewer_than_3():
    assert [degrees_of_freedom(errors, 10) for errors in (5, 20, 52)] == [3.0, 7.0, 29.4]

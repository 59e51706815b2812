"""Which counts statistics decide, for databases that know this or that."""

import re

import pytest

from platform_resources.capabilities.measures import CountIf, Elsewhere, NullCount, OutOfRange, Relation
from platform_resources.measuring.foreseeing import Foreseen, foreseen, none_of
from platform_resources.measuring.metrics import Asked, metric_of

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")


def asked(*measures, relation=CUSTOMERS):
    return [Asked(f"{relation.name} {n}", relation, measure) for n, measure in enumerate(measures)]


def counts(*measures, relation=CUSTOMERS):
    return frozenset(metric_of(each) for each in asked(*measures, relation=relation))


class Statistics:
    """What a database knows: which columns have no nulls, and between which values a column lies."""

    def __init__(self, filled=(), between=None):
        self.filled, self.between, self.questions = filled, between or {}, []

    def __call__(self, relation, condition):
        self.questions.append(condition)
        any_of = [self._none(part) for part in re.findall(r"\(([^()]*)\)", condition)]
        return any(any_of) if " and (" in condition else all(any_of)

    def _none(self, part):
        column = re.search(r'"(\w+)"', part)[1]
        if part.endswith("is null"):
            return column in self.filled
        if column not in self.between:
            return False
        least, greatest = self.between[column]
        bounds = re.findall(r"([<>]) (-?\d+)", part)
        return all(least >= int(bound) if sign == "<" else greatest <= int(bound) for sign, bound in bounds)


AGES = [OutOfRange("age", "0", str(top)) for top in (90, 100, 110, 120)]


def test_one_question_is_enough_where_no_column_has_nulls():
    database = Statistics(filled="abcdefgh")
    nulls = [NullCount(name) for name in "abcdefgh"]
    assert foreseen(asked(*nulls), database) == Foreseen(zero=counts(*nulls))
    assert len(database.questions) == 1


def test_the_column_that_may_have_nulls_is_found_by_halves():
    database = Statistics(filled="abcdefg")
    nulls = [NullCount(name) for name in "abcdefgh"]
    assert foreseen(asked(*nulls), database).zero == counts(*nulls[:7])
    assert len(database.questions) == 7


@pytest.mark.parametrize(
    ("between", "zero", "broken"),
    [
        ((0, 80), 4, 0),
        ((0, 105), 2, 2),
        ((-1, 80), 0, 0),
        ((0, 130), 0, 0),
    ],
    ids=["all are kept", "some are broken", "the low end breaks all", "the high end breaks all"],
)
def test_ranges_that_statistics_rule_out_are_zero_and_others_of_the_column_broken(between, zero, broken):
    found = foreseen(asked(*AGES), Statistics(between={"age": between}))
    assert found.zero == counts(*AGES[4 - zero :]) and found.broken == counts(*AGES[:broken])


def test_nothing_is_said_of_a_column_without_statistics():
    database = Statistics()
    assert foreseen(asked(*AGES, NullCount("age"), CountIf("age > 3")), database) == Foreseen()
    assert len(database.questions) == 2


def test_relations_are_asked_about_apart_also_those_asked_from_elsewhere():
    there = Asked("there", CUSTOMERS, Elsewhere(NullCount("a"), ORDERS))
    found = foreseen([*asked(NullCount("a")), there], Statistics(filled="a"))
    assert list(found.zero_by_relation()) == [tuple(counts(NullCount("a"), relation=ORDERS)), tuple(counts(NullCount("a")))]


def test_all_that_is_zero_is_made_sure_of_in_one_count():
    metrics = sorted(counts(NullCount("a"), OutOfRange("b", "0")))
    assert none_of(metrics) == 'select count(*) from "internal"."customers" where ("a" is null) or ("b" < 0)'

"""The score in six letters: every point needs evidence, and nobody gets any by words that say nothing."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.score_facts import (
    LETTERS,
    Answered,
    Attained,
    Consumed,
    Criterion,
    Documented,
    Finding,
    Hidden,
    Promised,
    Ran,
    ScoreFacts,
)
from platform_resources.promises.scores import badge, score, score_data, score_from
from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import Column, DataProduct, DataSet

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CRITERIA = tuple(installed_registry().criteria().values())
COLUMNS = (
    Column(name="order_id", type="bigint", classification="internal", description="The receipt that a till prints."),
    Column(
        name="amount", type="decimal(18,2)", unit="USD", classification="internal", description="What the household paid, after discounts."
    ),
    Column(name="ordered_at", type="timestamptz", classification="internal", description="When the receipt was printed."),
    Column(name="email", type="varchar", classification="personal", description="Where the invoice is sent."),
)
INFO = DataProduct(
    purpose="The one place to read what was sold, when and for how much.",
    version="2.0.0",
    lifecycle="production",
    archetype="source-aligned",
    tags=("order", "sales"),
)
DATA_SET = DataSet(primary_key=("order_id",), columns=COLUMNS)


def promised(title, *vouches, dimension="volume"):
    return Promised(title, dimension, "orders", frozenset(vouches), (), "met", NOW - timedelta(hours=3), True)


PERFECT = ScoreFacts(
    now=NOW,
    product="orders",
    title="Orders",
    domain="sales",
    info=INFO,
    owners=("ann@example.com",),
    data_sets={"orders": DATA_SET},
    agreements=(DataSharingAgreement(purpose="Reports."),),
    terms=frozenset({"order", "sales"}),
    search_words="order sales",
    search_place=1,
    published_at=NOW,
    product_version="2.0.0",
    readable={"orders_sql": "", "orders_file": ""},
    ports=("orders_sql", "orders_file"),
    addresses={"orders_sql": "orders_sql/v2/x/orders.parquet", "orders_file": "orders_file/v2/x/orders.parquet"},
    formats={"orders_sql": "parquet", "orders_file": "parquet"},
    file_ports=("orders_file",),
    former_majors={1: True},
    promises=(promised("Fresh", "age"), promised("Whole", "amount"), promised("One row", "quality", dimension="uniqueness")),
    attained=(Attained("Fresh on 95 %", "met", 100.0, 95.0),),
    coverage=1.0,
    inputs=("tills",),
    traced={"tills": True},
    answered=Answered(0, None, None, NOW - timedelta(days=40)),
    schedule=timedelta(days=1),
    observed={"orders": {column.name: column.type for column in COLUMNS}},
    verified_keys={"orders": "met"},
    queries={"Busiest": Ran(3)},
    sample_queries=("Busiest",),
    documents={"odcs": Documented((), True), "odps": Documented((), True)},
    identifiers={"orders.order_id": "order"},
    joined={"orders.order_id": 1.0},
    not_iso=(),
    undeclared_majors=(),
    unclassified=(),
    hidden=(Hidden("orders.email", False, ("clerk",)),),
    leaks=(),
    consumed=(Consumed("product:revenue"),),
    overdue_versions=(),
    retention=timedelta(days=400),
)
NOTHING = ScoreFacts(now=NOW, product="orders", title="Orders", domain="sales", info=INFO)


def scored(facts):
    return score(facts, CRITERIA)


def criterion(facts, name):
    return next(each for each in scored(facts).criteria if each.name == name)


def described(text, name="amount"):
    columns = tuple(column.model_copy(update={"description": text}) if column.name == name else column for column in COLUMNS)
    return replace(PERFECT, data_sets={"orders": DATA_SET.model_copy(update={"columns": columns})})


def with_info(facts=PERFECT, **fields):
    return replace(facts, info=DataProduct(**{**INFO.model_dump(exclude_unset=True, by_alias=True), **fields}))


def test_the_points_of_each_letter_are_a_hundred():
    points = Counter()
    for each in CRITERIA:
        points[each.letter] += each.points
    assert points == dict.fromkeys(LETTERS, 100)


def test_a_product_of_which_everything_was_seen_has_a_hundred_in_each_letter():
    found = scored(PERFECT)
    assert [f"{each.name}: {each.evidence}" for each in found.criteria if each.gained < each.points] == []
    assert (set(found.letters.values()), found.total, found.badge, found.advice) == ({100}, 100, "gold", ())


def test_what_was_not_seen_counts_as_nothing_and_says_what_would_give_evidence():
    unseen = [each for each in scored(NOTHING).criteria if not each.known]
    assert {each.gained for each in unseen} == {0}
    assert all(each.evidence and each.declared for each in unseen)
    # What needs no more than the document, or holds of a product that is not deprecated.
    assert {each.name for each in scored(NOTHING).criteria if each.known and each.gained} == {
        "purpose-says-something",
        "stage-and-archetype",
        "live-replacement",
    }


@pytest.mark.parametrize(("lifecycle", "most"), [("draft", 40), ("deprecated", 60), ("production", 100)])
def test_the_stage_of_life_holds_all_letters_down(lifecycle, most):
    facts = replace(with_info(lifecycle=lifecycle, replacement="new_orders"), replacement="")
    assert set(scored(facts).letters.values()) == {most}


def test_the_weakest_letter_decides_the_badge():
    weak = replace(PERFECT, unclassified=("orders.note (an e-mail address)",), leaks=("values of orders.email are in note of a view",))
    found = scored(weak)
    assert (found.weakest, found.letters["secure"], found.badge) == ("secure", 50, "bronze")
    assert found.total > 90
    assert [badge(points) for points in (100, 85, 84, 70, 69, 50, 49, 0)] == [
        "gold",
        "gold",
        "silver",
        "silver",
        "bronze",
        "bronze",
        "none",
        "none",
    ]


def test_advice_names_the_most_points_for_the_least_work_first():
    facts = replace(PERFECT, owners=(), retention=None, undeclared_majors=("column amount is gone from 1.0.0 to 1.1.0",))
    assert [each.name for each in scored(facts).advice] == ["indexed-with-owner", "majors-are-declared", "retention-is-met"]


def test_a_criterion_of_a_package_makes_all_of_its_letter_weigh_less():
    class Sworn(Criterion):
        """Somebody has sworn that it is safe."""

        name, letter, points, raised_by = "sworn", "secure", 100, "swear it"

        def finding(self, facts):
            return Finding(0.0, "nobody", "nobody has sworn")

    class Broken(Sworn):
        name, letter, points = "broken", "addressable", 1

        def finding(self, facts):
            return facts.nothing

    (failed,) = (each for each in score(PERFECT, (*CRITERIA, Broken())).criteria if each.name == "broken")
    assert not failed.known and failed.evidence.startswith("the criterion failed: AttributeError: ")
    found = score(PERFECT, (*CRITERIA, Sworn()))
    assert (found.letters["secure"], found.letters["addressable"], found.advice[0].name) == (50, 100, "sworn")


def test_a_score_is_read_back_as_it_was_kept():
    assert score_from(score_data(scored(NOTHING))) == scored(NOTHING)


# Nobody gets points by words that say nothing, or by promises that cannot be broken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amount",
        "The amount.",
        "This column contains the amount value",
        "TODO",
        "n/a n/a",
        "The amounts of the record",
        "Description of amount",
    ],
)
def test_a_description_that_says_no_more_than_the_name_is_none(text):
    found = criterion(described(text), "columns-are-described")
    assert found.gained == pytest.approx(25 * 3 / 4, abs=0.01)
    assert "orders.amount" in found.evidence


def test_one_description_for_many_columns_describes_none():
    same = tuple(column.model_copy(update={"description": "A useful business attribute of our customers."}) for column in COLUMNS)
    facts = replace(PERFECT, data_sets={"orders": DATA_SET.model_copy(update={"columns": same})})
    assert criterion(facts, "columns-are-described").gained == 0


@pytest.mark.parametrize("purpose", ["Orders.", "x" * 60, "orders " * 10])
def test_a_purpose_of_nothing_but_length_is_none(purpose):
    assert criterion(with_info(purpose=purpose), "purpose-says-something").gained == 0


@pytest.mark.parametrize("ran", [Ran(0), Ran(error="no such column")])
def test_a_sample_query_without_rows_shows_nothing(ran):
    facts = replace(PERFECT, queries={"Busiest": ran})
    assert (criterion(facts, "a-sample-query-runs").gained, criterion(facts, "sample-queries-run").gained) == (0, 0)
    assert (ran.error or "no rows") in criterion(facts, "sample-queries-run").evidence


def test_a_promise_that_no_data_can_break_counts_for_nothing():
    empty = replace(PERFECT.promises[1], can_fail=False)
    found = criterion(replace(PERFECT, promises=(PERFECT.promises[0], empty, PERFECT.promises[2])), "three-kinds-of-promises")
    assert found.gained == pytest.approx(20 * 2 / 3, abs=0.01)
    assert found.evidence == "nothing says how much the data are; no data could break: Whole"


@pytest.mark.parametrize(
    ("hidden", "unclassified", "gained", "told"),
    [
        ((), (), 20, "there is none to protect"),
        ((), None, 0, "nobody has looked yet whether there is none"),
        ((), ("orders.email (an e-mail address)",), 0, "clear to everybody: orders.email (an e-mail address)"),
        (PERFECT.hidden, ("orders.phone (a telephone number)",), 10, "clear to everybody: orders.phone (a telephone number)"),
        (PERFECT.hidden, ("orders.email (an e-mail address)",), 20, "masked or left out; in the clear for: clerk"),
    ],
)
def test_no_column_is_protected_that_is_not_known_to_be_personal(hidden, unclassified, gained, told):
    found = criterion(replace(PERFECT, hidden=hidden, unclassified=unclassified), "personal-columns-have-a-policy")
    assert (found.gained, found.evidence) == (gained, told)


def test_a_letter_of_which_nothing_is_lacking_has_a_hundred_however_its_points_are_rounded():
    class Third(Criterion):
        """Something of a package."""

        name, letter, points, raised_by = "third", "secure", 17, "do it"

        def finding(self, facts):
            return Finding(1.0, "it", "was seen")

    assert score(PERFECT, (*CRITERIA, Third())).letters["secure"] == 100
    almost = replace(PERFECT, unclassified=None)
    assert score(almost, (*CRITERIA, Third())).letters["secure"] < 100


def test_a_consumer_whose_agreement_has_expired_holds_none():
    facts = replace(PERFECT, consumed=(Consumed("product:revenue"), Consumed("bob@example.com", "has a grant that has expired")))
    found = criterion(facts, "consumers-hold-agreements")
    assert (found.gained, found.evidence) == (7.5, "bob@example.com has a grant that has expired")


def test_an_indicator_without_enough_data_is_no_evidence():
    found = criterion(replace(PERFECT, attained=(Attained("Fresh", "insufficient data", None, 95.0),)), "attainment-at-target")
    assert (found.known, found.gained) == (False, 0)
    met, few = Attained("Fresh", "met", 100.0, 95.0), Attained("Whole", "insufficient data", None, 95.0)
    told = {each: criterion(replace(PERFECT, attained=each), "attainment-at-target").evidence for each in ((met,), (met, few))}
    assert list(told.values()) == ["1 of 1 are met", "1 of 2 are met; the others have too few data"]


def test_response_is_told_after_thirty_days_of_runs_and_by_what_the_product_is_worth():
    slow = Answered(2, timedelta(hours=3), timedelta(hours=30), NOW - timedelta(days=40))
    assert criterion(replace(PERFECT, answered=slow), "response-in-time").gained == 5
    assert not criterion(replace(PERFECT, answered=replace(slow, running_since=NOW - timedelta(days=29))), "response-in-time").known
    assert criterion(replace(with_info(criticality="high"), answered=slow), "response-in-time").gained == 0

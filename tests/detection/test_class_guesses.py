"""What counts as personal: real values of real kinds, and near misses that only look like them; counted by DuckDB."""

import random
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from platform_resources.detection.class_guesses import ColumnEvidence, class_guesses
from platform_resources.services.access.class_evidence import column_evidence

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DICE = random.Random(7)


def digits(count, first="123456789"):
    return DICE.choice(first) + "".join(DICE.choice("0123456789") for _ in range(count - 1))


def with_luhn(text):
    """The digits with the check digit behind them that cards have."""
    total = 0
    for at, digit in enumerate(reversed(text)):
        doubled = int(digit) * (2 if at % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{text}{-total % 10}"


def iban(account):
    bban = f"37040044{account:010d}"
    return f"DE{98 - int(bban + '131400') % 97:02d}{bban}"


def days(first, last):
    return [first + timedelta(days=DICE.randrange((last - first).days)) for _ in range(200)]


def guess(name, kind, values):
    """What one column is guessed to be, from a table of these values."""
    with duckdb.connect() as connection:
        connection.execute(f'create table seen ("{name}" {kind})')
        connection.executemany("insert into seen values (?)", [(value,) for value in values])
        found = class_guesses(column_evidence(lambda sql: connection.execute(sql).fetchall(), "seen", {name: kind}, NOW))
    return next(iter(found), None)


FINDS = [
    ("contact", "varchar", [f"person{n}@example.com" for n in range(200)], "an e-mail address", "personal", "high"),
    ("remark", "varchar", ["call later"] * 180 + [f"p{n}@example.com" for n in range(20)], "an e-mail address", "personal", "low"),
    ("account", "varchar", [iban(n) for n in range(200)], "an IBAN", "personal", "high"),
    ("pan", "varchar", [with_luhn("4" + digits(14)) for _ in range(200)], "a payment card number", "sensitive", "high"),
    ("pan", "bigint", [int(with_luhn("51" + digits(13))) for _ in range(200)], "a payment card number", "sensitive", "high"),
    ("code", "varchar", [f"+49 30 {digits(7)}" for _ in range(200)], "a telephone number", "personal", "medium"),
    ("phone", "varchar", [f"030/{digits(7)}" for _ in range(200)], "a telephone number", "personal", "high"),
    ("origin", "varchar", [f"10.{n}.7.{n % 3}" for n in range(200)], "an IP address", "personal", "medium"),
    ("origin", "varchar", [f"2001:db8::{n:x}:1:2:3" for n in range(200)], "an IP address", "personal", "medium"),
    ("place", "varchar", [f"Lange Straße {n}" for n in range(200)], "a street and a number", "personal", "medium"),
    ("place", "varchar", [f"{n} Long Road" for n in range(200)], "a street and a number", "personal", "medium"),
    ("born", "date", days(date(1935, 1, 1), date(2008, 1, 1)), "a birth date", "personal", "low"),
    ("date_of_birth", "date", days(date(1935, 1, 1), date(2008, 1, 1)), "a birth date", "personal", "high"),
    ("last_name", "varchar", ["x"] * 3, "named like it", "personal", "medium"),
    ("salary", "integer", [1, 2], "named like it", "sensitive", "high"),
]
NEAR_MISSES = [
    ("sixteen", "varchar", ["4" + digits(15) for _ in range(200)]),
    ("sixteen", "bigint", [int("4" + digits(15)) for _ in range(200)]),
    ("order_no", "varchar", [f"030-{digits(7)}" for _ in range(200)]),
    ("number", "varchar", [f"0{digits(9)}" for _ in range(200)]),
    ("number", "varchar", [f"0-{digits(4)}-{digits(3)}" for _ in range(200)]),
    ("nine", "varchar", [digits(9) for _ in range(200)]),
    ("eleven", "bigint", [int(digits(11)) for _ in range(200)]),
    ("ref", "varchar", [f"DE{digits(2)}{digits(18)}" for _ in range(200)]),
    ("at", "varchar", [f"{n % 24:02d}:{n % 60:02d}:15" for n in range(200)]),
    ("ordered_on", "date", days(date(2019, 1, 1), date(2026, 11, 1))),
    ("archived_order_on", "date", days(date(1950, 1, 1), date(2005, 1, 1))),
    ("built", "date", days(date(2000, 1, 1), date(2008, 1, 1))),
    ("email_count", "integer", [1, 2, 3]),
    ("is_driver", "boolean", [True, False]),
    ("title", "varchar", ["@home", "5 Roads", "Way 7a"] * 50),
    ("empty", "varchar", [None] * 5),
    ("name", "varchar", ["Bolt", "Nut"]),
]


@pytest.mark.parametrize(("name", "kind", "values", "what", "told", "sureness"), FINDS)
def test_personal_data_is_found(name, kind, values, what, told, sureness):
    found = guess(name, kind, values)
    assert (found.what, found.data_class, found.sureness) == (what, told, sureness)


@pytest.mark.parametrize(("name", "kind", "values"), NEAR_MISSES)
def test_what_only_looks_like_personal_data_is_not_guessed(name, kind, values):
    assert guess(name, kind, values) is None


NATIONAL = [
    ("86095742719", "a German tax number"),
    ("536-90-4399", "a US social security number"),
    ("RCCMNL83S18D969H", "an Italian fiscal code"),
    ("54362315-K", "a Spanish identity number"),
    ("111222333", "a Dutch citizen number"),
    ("85.07.30-033 28".replace(" ", "."), "a Belgian national number"),
    ("44051401359", "a Polish PESEL"),
    ("756.9217.0769.85", "a Swiss social security number"),
    ("880320-0016", "a Swedish personal number"),
]


@pytest.mark.parametrize(("value", "what"), NATIONAL)
def test_numbers_of_persons_are_known_by_their_check_digits(value, what):
    assert guess("id_text", "varchar", [value] * 20).what == what


def test_the_evidence_is_counts_and_shares_and_never_a_value():
    found = guess("account", "varchar", [iban(n) for n in range(40)] + ["none of these"] * 10 + [None] * 5)
    assert found.evidence == "40 of 50 (80%) look like it; of a sample 40 of 40 (100%) are valid"


def test_what_tells_of_people_counts_only_beside_what_names_them():
    alone = class_guesses([ColumnEvidence("age_band"), ColumnEvidence("city")])
    beside = class_guesses([ColumnEvidence("age_band"), ColumnEvidence("email"), ColumnEvidence("weight")])
    assert alone == ()
    assert [(each.column, each.sureness) for each in beside] == [("age_band", "low"), ("email", "medium")]

"""Masks on a real database: types and nulls stay, values do not, and a keyed one cannot be guessed."""

import hashlib
import hmac

import duckdb
import pytest

from platform_resources.capabilities.masks.keyed_hash import key_variables
from platform_resources.capabilities.registry import installed_registry
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase

SECRET = b"a secret of the mesh that nobody knows"
VALUES = {
    "varchar": ["'ana@example.com'", "'+49 30 123456'", "'ä'", "''"],
    "bigint": ["37", "-3", "9223372036854775807"],
    "hugeint": ["170141183460469231731687303715884105", "0"],
    "integer": ["37", "-3", "2147483647"],
    "decimal(18,2)": ["37.25", "-3.01"],
    "double": ["37.25", "-3.5", "'nan'::double", "'infinity'::double"],
    "date": ["date '1984-05-17'"],
    "timestamp": ["timestamp '1984-05-17 10:11:12.123456'"],
    "timestamptz": ["timestamptz '1984-05-17 10:11:12+02'"],
    "uuid": ["uuid 'eaa36e69-a5db-8479-a054-4cc6e55c4760'"],
    "boolean": ["true"],
    "json": ["'{\"a\": 1}'::json"],
    "blob": ["'x'::blob"],
    "varchar[]": ["['a', 'b']"],
}
SETTINGS = {"bands": {"width": 10}, "partial": {"first": 1, "last": 2}, "truncate-date": {"to": "year"}}
MASKS = installed_registry().masks()


def settings_of(name):
    return MASKS[name].config.model_validate(SETTINGS.get(name, {}))


TAKEN = [(name, kind) for name, mask in MASKS.items() for kind in VALUES if mask.takes(settings_of(name), kind)]


@pytest.fixture
def database():
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield DuckDBDatabase(connection)


def masked(database, name, kind, value, key="mesh", secret=SECRET):
    sql = f"cast({MASKS[name].sql(settings_of(name), 'x', kind, key)} as {kind})"
    with database.holding(key_variables(key, secret)):
        return database.execute(f"select {sql}, typeof({sql}), x from (select cast({value} as {kind}) as x)")


@pytest.mark.parametrize(("name", "kind"), TAKEN)
def test_a_mask_keeps_the_type_and_null_and_no_value(database, name, kind):
    shown = {"varchar": "VARCHAR", "timestamptz": "TIMESTAMP WITH TIME ZONE"}.get(kind, kind.upper())
    for value in VALUES[kind]:
        found, observed, clear = masked(database, name, kind, value)
        assert (observed, found != clear or value in ("0", "'infinity'::double", "'nan'::double")) == (shown, True), value
        assert clear == "" or not isinstance(clear, str) or clear not in str(found)
    assert masked(database, name, kind, "null")[0] is None


@pytest.mark.parametrize(
    ("name", "kind", "value", "shown"),
    [
        ("redact", "varchar", "'ana'", "***"),
        ("redact", "bigint", "1", None),
        ("null", "varchar", "'ana'", None),
        ("partial", "varchar", "'+49 30 123456'", "+***56"),
        ("partial", "varchar", "'abc'", "***"),
        ("partial", "varchar", "'abcde'", "***"),
        ("partial", "varchar", "'abcdef'", "a***ef"),
        ("partial", "varchar", "''", "***"),
        ("bands", "integer", "37", 30),
        ("bands", "integer", "-3", -10),
        ("bands", "bigint", "9223372036854775807", 9223372036854775800),
        ("bands", "double", "-3.5", -10.0),
    ],
)
def test_what_a_mask_shows(database, name, kind, value, shown):
    assert masked(database, name, kind, value)[0] == shown


def test_the_first_day_of_the_year_is_what_stays_of_a_date(database):
    assert str(masked(database, "truncate-date", "date", "date '1984-05-17'")[0]) == "1984-01-01"


def test_a_date_is_not_masked_by_its_own_day():
    mask = MASKS["truncate-date"]
    by_day = mask.config.model_validate({"to": "day"})
    assert (mask.takes(by_day, "timestamp"), mask.takes(by_day, "date"), mask.takes(settings_of("truncate-date"), "date")) == (
        True,
        False,
        True,
    )


def test_a_keyed_hash_is_that_of_rfc_2104(database):
    for secret in (SECRET, b"k" * 64, b"longer than one block" * 5):
        told = hmac.new(secret, b"ana@example.com", hashlib.sha256).hexdigest()[:32]
        assert masked(database, "keyed-hash", "varchar", "'ana@example.com'", secret=secret)[0] == told


def test_a_dictionary_of_all_phone_numbers_does_not_find_a_keyed_hash(database):
    found = masked(database, "keyed-hash", "varchar", "'+493012345'")[0]
    numbers = [f"+4930123{last:02}" for last in range(100)] + ["+493012345"]
    guesses = {guess(number.encode()).hexdigest()[:32] for number in numbers for guess in (hashlib.sha256, hashlib.md5, hashlib.sha1)}
    guesses |= {hmac.new(key, number.encode(), hashlib.sha256).hexdigest()[:32] for number in numbers for key in (b"", b"mesh", b"key")}
    assert found not in guesses


def test_equal_values_are_joined_within_a_key_and_not_across_keys(database):
    ana = [masked(database, "pseudonym", "varchar", "'ana'", key, secret)[0] for key, secret in (("a", b"1"), ("a", b"1"), ("b", b"2"))]
    assert ana[0] == ana[1] != ana[2]


def test_the_key_is_gone_when_the_file_is_written(database):
    variables = key_variables("mesh", SECRET)
    with database.holding(variables):
        assert all(database.execute(f"select getvariable('{name}') is not null")[0] for name in variables)
    assert not any(database.execute(f"select getvariable('{name}') is not null")[0] for name in variables)

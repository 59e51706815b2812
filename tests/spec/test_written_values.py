"""What YAML 1.1 reads otherwise than it is written, and where that matters."""

import json

import pytest

from platform_resources.spec.document import read_document
from platform_resources.spec.domain_document import read_domain
from platform_resources.spec.values.written_values import misread, of_another_base, plain_values


def read(text):
    return read_document(f"value: {text}\n", "product.yaml").data["value"]


@pytest.mark.parametrize("text", ["1.10", "10:00", "007", "0x1F", "1_000", "0b11", "+5", "1.", "1.0e+3"])
def test_a_number_that_is_read_otherwise_remembers_how_it_was_written(text):
    found = read(text)
    ((message, hint),) = misread([found], "varchar", False)
    assert message == f"{text} is the number {found} to YAML; the column is of type varchar"
    assert hint == f'write it in quotes: "{text}"'


@pytest.mark.parametrize("text", ["1", "1.5", "-3", "1e3", "08", '"1.10"', "'007'", "2024-01-31", "19-24", "1.2.3"])
def test_what_is_read_as_it_is_written_is_no_problem(text):
    assert list(misread([read(text)], "varchar", False)) == []
    assert str(read(text)) == text.strip("\"'")


@pytest.mark.parametrize(("text", "refused"), [("1_000", False), ("0x1F", False), ("1.10", False), ("010", True), ("10:30", True)])
def test_in_a_column_of_numbers_only_another_base_is_a_problem(text, refused):
    assert bool(list(misread([read(text)], "integer", True))) is refused
    assert bool(list(misread([read(text)], None, False))) is refused


def test_such_a_number_is_one_wherever_a_number_is_wanted():
    value = read("1_000")
    assert (value, value + 1, json.dumps(value)) == (1000, 1001, "1000")
    assert type(plain_values([{"a": value}])[0]["a"]) is int


@pytest.mark.parametrize("text", ["2024-01-31 10:00:00", "2001-12-14t21:59:43.10-05:00"])
def test_a_time_that_is_read_otherwise_is_a_problem_among_text_alone(text):
    found = read(text)
    ((message, hint),) = misread([found], "varchar", False)
    assert (message, hint) == (f"{text} is the time {found} to YAML; the column is of type varchar", f'write it in quotes: "{text}"')
    assert not list(misread([found], "date", False)) and not list(misread([found], None, False))
    assert type(plain_values([found])[0]) is str


def test_numbers_to_another_base_are_found_wherever_they_stand():
    data = read_document("a: [1, {b: 010}]\nc: 1:30\nd: 0x10\ne: '010'\nf: -1:30.5\n", "product.yaml").data
    assert [(place, str(value)) for place, value in of_another_base(data)] == [(("a", 1, "b"), "8"), (("c",), "90"), (("f",), "-90.5")]


def test_a_number_to_another_base_takes_one_field_of_a_domain_away():
    read = read_domain(
        "title: Shop\nincidents: {bad: 010}\nroutes: [{channel: owners, quiet_hours: {from: 20:00, to: 7:00}}]\n", "domain.yaml"
    )
    told = [(problem.line, problem.message) for problem in read.problems]
    assert (2, "010 is the number 8 to YAML") in told and len(told) == 3
    assert (read.domain.title, read.domain.incidents.bad, read.domain.routes) == ("Shop", 1, ())

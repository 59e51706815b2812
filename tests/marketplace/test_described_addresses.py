"""Every address of the OpenAPI document, asked with whatever it allows and what it does not: no failure of the server, answers as described."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market

pytestmark = pytest.mark.slow
EXAMPLES = 6
# Names that there are: made-up ones are told apart at once, and nothing behind them is looked at.
KNOWN = {
    "name": ("readings", "summary"),
    "domain": ("plant", "office"),
    "port": ("measurements_file", "measurements_sql"),
    "data_set": ("measurements",),
    "column": ("degrees",),
    "cause": ("readings",),
    "number": (1,),
    "form": ("odcs", "odps"),
}


@pytest.fixture(scope="module")
def described(shop):
    app = application(opened_market(shop), watch=False)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"host": "127.0.0.1"})


def test_every_address_answers_as_it_is_described(described):
    failures, asked = [], set()
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(), st.integers(0, 99))
        def answers(case, choice):
            for place, name in enumerate(sorted(case.path_parameters or {})):
                if name in KNOWN and choice % 4:
                    case.path_parameters[name] = KNOWN[name][(choice + place) % len(KNOWN[name])]
            response = case.call(headers={"host": "127.0.0.1"})
            asked.add((case.operation.label, response.status_code))
            case.validate_response(response, checks=(not_a_server_error, response_schema_conformance))

        try:
            answers()
        except Exception as error:
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)
    answered = {label for label, status in asked if status < 400}
    assert len(answered) > len({label for label, _ in asked}) / 2, sorted(asked)

"""The files of a deployment: they keep the schemas of who reads them, and name each domain's code server alike. They were not run here."""

import json

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config_schema
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from tests.meshes import REPOSITORY

DEPLOY = REPOSITORY / "deploy"


def read(name):
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load((DEPLOY / name).read_text(encoding="utf-8"))))


def after(arguments, option):
    return arguments[arguments.index(option) + 1]


def test_the_compose_file_keeps_its_schema():
    rules = get_builtin_schema("vendor.compose-spec")
    data = read("compose.yaml")
    assert [error.message for error in validator_for(rules)(rules).iter_errors(data)] == []
    data["services"]["daemon"]["depends"] = ["postgres"]
    assert list(validator_for(rules)(rules).iter_errors(data)), "the schema would take anything"


@pytest.mark.parametrize("place", ["compose", "kubernetes"])
def test_each_code_server_is_one_domain_at_the_address_that_dagster_is_told(place):
    servers = [entry["grpc_server"] for entry in read("workspace.grpc.yaml")["load_from"]]
    if place == "compose":
        services = read("compose.yaml")["services"]
        arguments = {
            name: (each["command"], after(each["command"], "-p")) for name, each in services.items() if "grpc" in each.get("command", "")
        }
    else:
        deployments = read("kubernetes/values.yaml")["dagster-user-deployments"]["deployments"]
        arguments = {each["name"]: (each["dagsterApiGrpcArgs"], str(each["port"])) for each in deployments}
    assert {name: port for name, (_, port) in arguments.items()} == {each["host"]: str(each["port"]) for each in servers}
    for server in servers:
        told, _ = arguments[server["host"]]
        assert after(told, "--location-name") == server["location_name"]
        assert (REPOSITORY / after(told, "-f")).is_file() and after(told, "-f") == f"dataproducts/{server['location_name']}/definitions.py"


def test_dagster_takes_its_settings(monkeypatch):
    monkeypatch.setenv("DAGSTER_POSTGRES", "postgresql+psycopg2://mesh@postgres/dagster")
    settings = read("dagster.yaml")
    assert process_config(resolve_to_config_type(dagster_instance_config_schema()), settings).success
    assert not process_config(resolve_to_config_type(dagster_instance_config_schema()), settings | {"storages": {}}).success

"""The files of a deployment: they keep the schemas of who reads them, and name each domain's code server alike. They were not run here."""

import json

import dagster as dg
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config_schema
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from platform_resources.marketplace.ahead.shared_pages import FILE as PAGES
from platform_resources.marketplace.probe_routes import probe_routes
from platform_resources.services.showing.kept_memories import FILE as JUDGED
from tests.meshes import REPOSITORY

DEPLOY = REPOSITORY / "deploy"


def read(name):
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load((DEPLOY / name).read_text(encoding="utf-8"))))


def read_all(name):
    return list(YAML(typ="safe", pure=True).load_all((DEPLOY / name).read_text(encoding="utf-8")))


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


def test_no_domain_takes_all_places_of_the_queue():
    """By Dagster's own queue, as deploy/dagster.yaml sets it up: each run of the platform carries its domain as a tag."""
    limits = {"concurrency": read("dagster.yaml")["concurrency"]}
    with dg.instance_for_test(overrides=limits) as instance, QueuedRunCoordinatorDaemon(interval_seconds=1) as queue:
        for domain in ("sales", "sales", "sales", "finance", "sales"):
            location = GrpcServerCodeLocationOrigin(host=domain, port=4000, location_name=domain)
            origin = RemoteRepositoryOrigin(location, "__repository__").get_job_origin("refresh")
            queued = {"status": dg.DagsterRunStatus.QUEUED, "remote_job_origin": origin}
            create_run_for_test(instance, job_name="refresh", tags={"domain": domain}, **queued)
        begun = queue._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    assert sorted(run.tags["domain"] for run in begun) == ["finance", "sales", "sales"]


def test_kubernetes_has_the_same_queue_and_retries():
    settings, values = read("dagster.yaml"), read("kubernetes/values.yaml")
    queue = settings["concurrency"]
    assert values["concurrency"] == {"enabled": True} | {name: {camel(key): told for key, told in of.items()} for name, of in queue.items()}
    daemon = values["dagsterDaemon"]
    for chart, ours in (("runRetries", "run_retries"), ("runMonitoring", "run_monitoring")):
        assert daemon[chart] == camels(settings[ours])
    assert daemon["runCoordinator"]["config"]["queuedRunCoordinator"] == camels(settings["run_coordinator"]["config"])
    assert values["retention"] == {"enabled": True, "sensor": camels(settings["retention"]["sensor"])}
    launcher = values["runLauncher"]["config"]["customRunLauncher"]
    assert {name: launcher[name] for name in ("module", "class")} == settings["run_launcher"]


def test_the_marketplace_of_kubernetes_fits_itself_and_the_code_servers():
    deployment, service = read_all("kubernetes/marketplace.yaml")
    assert [(each["apiVersion"], each["kind"]) for each in (deployment, service)] == [("apps/v1", "Deployment"), ("v1", "Service")]
    pod = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"] == service["spec"]["selector"]
    (container,) = pod["spec"]["containers"]
    (port,) = {each["containerPort"] for each in container["ports"]}
    assert after(container["command"], "--port") == str(port) == str(service["spec"]["ports"][0]["targetPort"])
    served = {route.path for route in probe_routes(None).routes}
    for probe in (container["readinessProbe"]["httpGet"], container["livenessProbe"]["httpGet"]):
        assert probe["port"] == port and probe["path"] in served
    values = read("kubernetes/values.yaml")
    images = [values["dagsterWebserver"]["image"], values["dagsterDaemon"]["image"]]
    for server in values["dagster-user-deployments"]["deployments"]:
        images.append(server["image"])
        assert [from_["secretRef"] for from_ in container["envFrom"]] == server["envSecrets"] and container["env"] == server["env"]
        for part, ours in (("volumes", pod["spec"]["volumes"]), ("volumeMounts", container["volumeMounts"])):
            assert all(each in ours for each in server[part]), part
    assert {f"{image['repository']}:{image['tag']}" for image in images} == {container["image"]}
    (kept,) = (volume["name"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume)
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}[kept]
    assert all(f"/state/{file}".startswith(f"{mounted}/") for file in (PAGES, JUDGED)), "SQLite of servers on several nodes"


def camels(settings):
    return {camel(key): told for key, told in settings.items()}


def camel(name):
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))

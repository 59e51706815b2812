"""The files of a deployment: they keep the schemas of who reads them, and name each domain's code server alike. They were not run here."""

import gzip
import json
import re
from pathlib import Path

import dagster as dg
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from dagster._config import process_config, resolve_to_config_type
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import dagster_instance_config, dagster_instance_config_schema
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import pg_url_from_config
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from ruamel.yaml import YAML
from sqlalchemy.engine import make_url

from platform_resources.marketplace.ahead.shared_pages import FILE as PAGES
from platform_resources.marketplace.probe_routes import probe_routes
from platform_resources.services.showing.kept_memories import FILE as JUDGED
from tests.meshes import REPOSITORY

DEPLOY, SCHEMAS = REPOSITORY / "deploy", Path(__file__).with_name("schemas")
KUBERNETES = json.loads(gzip.decompress((SCHEMAS / "kubernetes-1.37.json.gz").read_bytes()))
STORAGES = {"run_storage": PostgresRunStorage, "event_log_storage": PostgresEventLogStorage, "schedule_storage": PostgresScheduleStorage}
KNOWN = Registry().with_resource("kubernetes", Resource.from_contents(KUBERNETES))


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


def wrong(rules, data):
    errors = Draft202012Validator(rules, registry=KNOWN).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_the_values_keep_the_schema_of_the_chart():
    rules, values = json.loads((SCHEMAS / "dagster-chart.json").read_text()), read("kubernetes/values.yaml")
    assert wrong(rules, values) == []
    server = values["dagster-user-deployments"]["deployments"][0]
    server["volumeMounts"][0]["path"] = server.pop("port")
    values["runLauncher"]["config"] = {"k8sRunLauncher": {}}
    assert len(wrong(rules, values)) == 3, "the schema would take anything"


def test_the_values_of_several_machines_keep_it_too_and_share_no_volume():
    """Helm takes the second file's lists as they are, and the rest beside the first one's."""
    rules, values, more = (
        json.loads((SCHEMAS / "dagster-chart.json").read_text()),
        read("kubernetes/values.yaml"),
        read("kubernetes/several-machines.yaml"),
    )
    alone, servers = (each["dagster-user-deployments"]["deployments"] for each in (values, more))
    values |= {"runLauncher": more["runLauncher"], "dagster-user-deployments": {"enabled": True, "deployments": servers}}
    assert wrong(rules, values) == []
    assert [volume for server in servers for volume in server["volumes"] if "emptyDir" not in volume] == []
    same = ("name", "image", "dagsterApiGrpcArgs", "port", "envSecrets")
    assert [[server[name] for name in same] for server in servers] == [[server[name] for name in same] for server in alone]
    values["runLauncher"]["config"]["k8sRunLauncher"]["volume"] = []
    assert len(wrong(rules, values)) == 1, "the schema would take anything"


def test_the_manifests_of_the_marketplace_keep_the_schema_of_kubernetes():
    for manifest in read_all("kubernetes/marketplace.yaml"):
        rules = {"$ref": f"kubernetes#/$defs/{manifest['kind']}"}
        assert wrong(rules, json.loads(json.dumps(manifest))) == []
        manifest["spec"]["replica"] = 2
        assert wrong(rules, manifest), "the schema would take anything"


def settings_of(values):
    """The dagster.yaml that the chart's templates write for these values, as far as they say something."""
    daemon, database = values["dagsterDaemon"], values["postgresql"]
    postgres = {
        "username": database["postgresqlUsername"],
        "password": {"env": "DAGSTER_PG_PASSWORD"},
        "hostname": database["postgresqlHost"],
        "db_name": database["postgresqlDatabase"],
        "port": 5432,
        "params": {},
    }
    if "postgresqlScheme" in database:
        postgres["scheme"] = database["postgresqlScheme"]
    coordinator = {"module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator", "config": {"max_concurrent_runs": -1}}
    return {
        **{name: {"module": of.__module__, "class": of.__name__, "config": {"postgres_db": postgres}} for name, of in STORAGES.items()},
        "run_launcher": values["runLauncher"]["config"]["customRunLauncher"],
        "run_coordinator": daemon["runCoordinator"]["config"].get("customRunCoordinator", coordinator),
        "run_monitoring": snake(daemon["runMonitoring"]),
        "run_retries": snake(daemon["runRetries"]),
        "concurrency": {name: snake(of) for name, of in values["concurrency"].items() if name != "enabled"},
        "retention": {name: snake(of) for name, of in values["retention"].items() if name != "enabled"},
        "telemetry": values["telemetry"],
    }


def test_the_chart_makes_settings_of_the_values_that_dagster_takes_and_that_say_what_dagster_yaml_says(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", "let-me-in")
    values, ours = read("kubernetes/values.yaml"), read("dagster.yaml")
    made = settings_of(values)
    for part in ("concurrency", "run_coordinator", "run_monitoring", "run_retries", "retention", "telemetry"):
        assert made[part] == ours[part]
    assert made["run_launcher"] == ours["run_launcher"] | {"config": {}}
    (tmp_path / "dagster.yaml").write_text(json.dumps(made))
    settings, _ = dagster_instance_config(str(tmp_path))
    for name, storage in STORAGES.items():
        config = process_config(resolve_to_config_type(storage.config_type()), settings[name]["config"]).value
        assert make_url(pg_url_from_config(config)).get_dialect().driver == "psycopg2", "the driver that the image has"

    values["dagsterDaemon"]["runCoordinator"] |= {"config": {"queuedRunCoordinator": {}}}
    (tmp_path / "dagster.yaml").write_text(json.dumps(settings_of(values)))
    with pytest.raises(DagsterInvalidConfigError, match="incompatible with the `concurrency > runs` config"):
        dagster_instance_config(str(tmp_path))


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
        assert [from_["secretRef"] for from_ in container["envFrom"]] == server["envSecrets"]
        assert all(each in container["env"] for each in server["env"])
        for part, ours in (("volumes", pod["spec"]["volumes"]), ("volumeMounts", container["volumeMounts"])):
            assert all(each in ours for each in server[part]), part
    assert {f"{image['repository']}:{image['tag']}" for image in images} == {container["image"]}
    home = {each["name"]: each.get("value") for each in container["env"]}["DAGSTER_HOME"]
    assert home == values["global"]["dagsterHome"]
    assert f"{home}/dagster.yaml" in {each["mountPath"] for each in container["volumeMounts"]}, (
        "`mesh` there would have a history of its own"
    )
    (kept,) = (volume["name"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume)
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}[kept]
    assert all(f"/state/{file}".startswith(f"{mounted}/") for file in (PAGES, JUDGED)), "SQLite of servers on several nodes"


def snake(of):
    return {re.sub("([A-Z])", lambda letter: f"_{letter[1].lower()}", key): said for key, said in of.items()}

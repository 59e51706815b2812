"""With MESH_LOG=json all that a process says on standard error is JSON, one object a line, with the product, run and step it is about."""

import json
import subprocess
import sys

import pytest

from tests.refresh.running import environment

pytestmark = pytest.mark.slow
SPEAKING = """
import logging, os, sys, warnings
from platform_resources.redaction.log_lines import write_json_lines
early = logging.getLogger("early")
write_json_lines(os.environ)
early.addHandler(logging.StreamHandler())
early.warning("made before")
logging.getLogger("dlt").warning("loaded from %s", "postgres://ana:geheim1@db/crm")
os.environ["MESH_QUERY_TAG"] = '{"product": "orders", "run": "r1", "step": "pull"}'
logging.getLogger("dlt").info("one page more")
del os.environ["MESH_QUERY_TAG"]
print("said in\\ntwo lines", file=sys.stderr)
import dagster as dg
@dg.asset(key=["orders", "outputs", "orders_sql"])
def publish():
    return dg.MaterializeResult(tags={"dagster/data_version": "v7"})
job = dg.define_asset_job("refresh_orders", [publish], tags={"product": "orders"}, executor_def=dg.in_process_executor)
dg.Definitions(assets=[publish], jobs=[job]).resolve_job_def("refresh_orders").execute_in_process()
from dagster._utils.log import configure_loggers
configure_loggers()
logging.getLogger("dagster-webserver").warning("as a daemon sets it up")
sys.stderr.write("last words")
raise ValueError("password=geheim2")
"""


def lines(**changes):
    done = subprocess.run([sys.executable, "-c", SPEAKING], capture_output=True, text=True, env=environment(**changes), check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_every_line_is_an_object_that_says_whose_it_is():
    said = [json.loads(line) for line in lines(MESH_LOG="json")]
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in said)
    by_message = {line["message"]: line for line in said}
    assert "geheim" not in json.dumps(said)
    assert by_message["one page more"] | {"at": ""} == {
        "at": "", "level": "INFO", "logger": "dlt", "message": "one page more", "product": "orders", "run": "r1", "step": "pull",
    }  # fmt: skip
    assert "product" not in by_message["loaded from postgres://ana:***@db/crm"]
    assert (by_message["made before"]["logger"], by_message["as a daemon sets it up"]["logger"]) == ("early", "dagster-webserver")
    assert {by_message[text]["logger"] for text in ("said in", "two lines")} == {"stderr"}
    (made,) = [line for line in said if line.get("event") == "ASSET_MATERIALIZATION"]
    assert (
        (made["product"], made["asset"], made["version"]) == ("orders", "orders/outputs/orders_sql", "v7") and made["run"] and made["step"]
    )
    assert said[-2]["level"] == "CRITICAL" and "Traceback" in said[-2]["error"]
    assert said[-1]["message"] == "last words"


def test_without_it_they_are_for_people():
    assert not any(line.startswith("{") for line in lines())

"""Probe consumers outside the mesh, such as dashboards, that product.yaml marks with `probe: true`.

A redirection is followed to the same host or to a public address, never from elsewhere into a private network.
"""

import ipaddress
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from platform_resources.ledger.people.consumer_answers import ConsumerAnswer
from platform_resources.notify.delivery import UNREACHED, unreached, web_opener, within_limit
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import ConsumerPlan
from platform_resources.publications.port_probes import Answer

AT_ONCE, LONGEST_SECONDS = 8, 5
# It is there, and wants to know who asks.
SIGN_IN = (401, 403)


def probed_consumers(products: Sequence[ProductPlan], now: datetime) -> tuple[ConsumerAnswer, ...]:
    """Probe all marked consumers of these products at the same time; a slow or dead one does not delay the others."""
    asked = [(product, consumer) for product in products for consumer in product.consumers if consumer.probe]
    if not asked:
        return ()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(lambda pair: _asked(pair[1]), asked))
    return tuple(
        ConsumerAnswer(product.name, consumer.name, now, answers, text)
        for (product, consumer), (answers, text) in zip(asked, said, strict=True)
    )


def service_answer(service: ConsumerPlan, within: timedelta) -> Answer:
    """How an output port answers that the platform does not run, in at most so much time."""
    begin = time.monotonic()
    does_answer, words = _asked(service, within)
    seconds = time.monotonic() - begin
    return Answer(service.name, said=words, seconds=seconds) if does_answer else Answer(service.name, error=words)


def _asked(consumer: ConsumerPlan, within: timedelta = timedelta(seconds=LONGEST_SECONDS)) -> tuple[bool, str]:
    """Whether it answers, and in which words."""
    begin = time.monotonic()
    outcome = within_limit(within, lambda: _answer(consumer, within.total_seconds()))
    if isinstance(outcome, Exception):
        raise outcome
    does_answer, words = outcome or (False, "it did not answer in time")
    return does_answer, f"{words}, after {time.monotonic() - begin:.2f} s" if does_answer else words


def _answer(consumer: ConsumerPlan, seconds: float) -> tuple[bool, str]:
    try:
        request = urllib.request.Request(consumer.url or "", headers={"user-agent": "mesh"})
        with _OPENER.open(request, timeout=seconds):
            return True, "it answers"
    except urllib.error.HTTPError as error:
        error.close()
        return (
            (True, "it answers, and wants to know who asks") if error.code in SIGN_IN else (False, f"it answers with status {error.code}")
        )
    except UNREACHED as error:
        return False, unreached(error)


class _Redirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        host = urlsplit(newurl).hostname or ""
        if host != req.origin_req_host and not _is_public(host):
            raise urllib.error.URLError(f"it leads to {host}, which is no public address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_public(host: str) -> bool:
    """Whether all addresses of the host are of the internet. Raises OSError where it has none."""
    return all(ipaddress.ip_address(str(where[0]).partition("%")[0]).is_global for *_, where in socket.getaddrinfo(host, None))


_OPENER = web_opener(_Redirections())

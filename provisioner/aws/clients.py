"""The botocore clients of one run: one for each service and Region, shared by all accounts.

Each client has the guard, its calls are counted, and its own retries are off: botocore's retry quota belongs to a client,
so that all accounts would share it.
"""

from __future__ import annotations

import os
import platform
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.paginate import Paginator

from .. import __version__
from ..baseline.partitions import unknown_region
from .configuration import ca_bundle, check_proxies, configuration_errors
from .credentials import find_credentials
from .errors import ClientError, Incomplete, code_of
from .guard import READS, guard
from .keyring import Keyring
from .model_files import model_loader
from .options import Options, Tally
from .session import LimitedSession
from .wire.direct_reads import DirectReads
from .wire.parsing import CheckedParserFactory
from .wire.transport import Transport

_NO_SUBDOMAINS: Final = re.compile(r"localhost|[0-9.]+|.*:.*")  # the last are IPv6 addresses
BOTOCORE: Final = botocore.__version__
STOCK: Final = "PROVISION_STOCK_BOTOCORE"  # if this variable is set, botocore connects and signs itself
# Pages of one answer: 60,000 accounts at the 20 that a page of Organizations has, where AWS allows 50,000; and pages
# in a row without an entry.
_MAX_PAGES, _MAX_EMPTY_PAGES = 3_000, 100
_CONNECTIONS = 64  # botocore's own, to one host
# HEAD is answered without a body, and so without the error's code and message. Each is asked again with GET, for which
# the caller needs the same IAM action.
_HEADS: Final = {("s3", "head_bucket"): "list_objects_v2"}
_NO_REASON: Final = ("400", "403")  # all that is left of an expired token, a wrong clock, and a denial
# botocore builds its own for each call, which takes a fifth of the call's CPU time. `md/` is its form of metadata.
_USER_AGENT = (
    f"provision/{__version__} md/run#{{run}} Botocore/{botocore.__version__} Python/{platform.python_version()}"
    f" {platform.system()}/{platform.machine()}"
)


def default_region(profile: str | None) -> str | None:
    """Return the Region that AWS_REGION, AWS_DEFAULT_REGION or the profile names, or None. Raises ConfigurationError."""
    session = botocore.session.Session(profile=profile)
    with configuration_errors(session, profile=profile):
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if region and (message := unknown_region(region)):
            raise ValueError(message)
    return str(region) if region else None


def profiles() -> list[str]:
    """Return the names of the configured profiles. Raises botocore's ConfigParseError for a broken file."""
    return list(botocore.session.Session().available_profiles)


class Clients:
    """The clients, and the one session that makes them.

    Raises ConfigurationError where the environment, a profile or a file that they name is wrong.
    """

    def __init__(self, options: Options, tally: Tally):
        self._tally = tally
        self._session = session = LimitedSession(options.profile, options.limits)
        with configuration_errors(session, profile=options.profile):
            session.register_component("data_loader", model_loader(session.get_config_variable("data_path")))
            providers = session.get_component("credential_provider")
        self.keyring = Keyring(lambda: find_credentials(session, providers))
        session.register_component("credential_provider", self.keyring)
        session.register_component("response_parser_factory", CheckedParserFactory())
        session.register("creating-client-class", self._share_class)
        # A session token of the global endpoint is refused in Regions that are not enabled by default.
        session.set_config_variable("sts_regional_endpoints", "regional")
        self._endpoint_url, self._limits = options.endpoint_url, options.limits
        self._user_agent = _USER_AGENT.format(run=re.sub(r"[^\w.-]", "-", options.run_id, flags=re.ASCII))
        self._transport: Transport | None = None
        bundle = None
        if options.own_connections:  # the sandbox in this process makes no connections
            check_proxies()
            bundle = ca_bundle(session)
        if options.own_connections and not os.environ.get(STOCK):
            self._transport = Transport(self._limits, ca_bundle=bundle)
        self._own_signatures = options.own_signatures
        self._clients: dict[tuple[str, str], Any] = {}
        self._classes: dict[str, type] = {}  # of the clients, by botocore's id of the service in events
        self._direct_reads: dict[tuple[str, str], DirectReads] = {}
        self._pagination_models: dict[str, Mapping[str, Any]] = {}  # by service
        self._lock = threading.Lock()  # botocore sessions are not thread-safe; the clients they make are

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        if self._transport is not None:
            self._transport.close()

    def sts_regions(self, region: str) -> Iterator[str]:
        """Yield the Regions whose STS answers for the partition of *region*: this one, then the partition's main one."""
        yield region
        partitions = self._session.get_component("data_loader").load_data("partitions")["partitions"]
        of_region = self._session.get_partition_for_region(region)
        [main] = [each["outputs"]["implicitGlobalRegion"] for each in partitions if each["id"] == of_region]
        endpoints = {self.client("sts", each).meta.endpoint_url for each in (region, main)}
        if len(endpoints) > 1:  # not where the user has set the endpoint
            yield str(main)

    def event_region(self, service: str, region: str) -> str:
        """Return the Region in whose event history calls to *service* are: *region*, or that of a global service."""
        data = self._session.get_component("data_loader").load_data("endpoints")
        of_region = self._session.get_partition_for_region(region)
        [services] = [p["services"] for p in data["partitions"] if p["partition"] == of_region] or [{}]
        found = services.get(self._session.get_service_model(service).endpoint_prefix, {})
        if found.get("isRegionalized", True):
            return region
        endpoint = found["endpoints"].get(found.get("partitionEndpoint"), {})
        return str(endpoint.get("credentialScope", {}).get("region", region))

    def offers(self, service: str, region: str) -> bool:
        """Whether the service exists in the Region, as far as botocore knows."""
        with self._lock:
            partitions = self._session.get_available_partitions()
            regions = {each for p in partitions for each in self._session.get_available_regions(service, p)}
        return not regions or region in regions  # a global service has no Regions, and is available in all

    def client(self, service: str, region: str) -> Any:
        """Return the client for *service* in *region*, with the guard on."""
        key = (service, region)
        client = self._clients.get(key)
        if client is None:
            with self._lock:
                client = self._clients.get(key) or self._make(service, region)
                self._clients[key] = client
        return client

    def call(self, service: str, region: str, operation: str, params: dict[str, Any]) -> Any:
        """Return AWS's answer to one request, through DirectReads where that supports it."""
        direct_reads = self._direct_reads.get((service, region))
        if direct_reads is not None and direct_reads.supports(operation):
            return direct_reads.call(operation, params)
        client = self.client(service, region)
        try:
            return getattr(client, operation)(**params)
        except ClientError as error:
            with_body = _HEADS.get((service, operation))
            if with_body and code_of(error) in _NO_REASON and (reason := _reason(client, with_body, params)):
                raise ClientError(reason, error.operation_name) from error
            raise

    def whole(self, service: str, region: str, operation: str, page: Any, params: dict[str, Any]) -> Any:
        """Return the whole answer of an operation, all pages merged. *page* fetches one, given its parameters.

        botocore's `get_paginator` would make a class for each call, and its `build_full_result` would skip a page without
        its list. Such a page does not prove that there is nothing, so it raises Incomplete here; so do pages that do
        not end.
        """
        client = self.client(service, region)
        name = client.meta.method_to_api_mapping[operation]
        config = self._pagination(service).get(name)
        if config is None:
            return page(**params)
        asked: set[str] = set()

        def next_page(**params: Any) -> Any:
            question = repr(params)
            if question in asked or len(asked) >= _MAX_PAGES:
                raise Incomplete(f"AWS answered {operation} with pages that do not end; run again")
            asked.add(question)
            return page(**params)

        method: Any = next_page  # Paginator's type is wrong
        paginator: Any = Paginator(method, config, client.meta.service_model.operation_model(name))
        pages = paginator.paginate(**params)
        keys = [each.expression for each in pages.result_keys]
        merged: dict[str, list[Any]] = {}
        empty = 0
        for each in pages:
            empty = 0 if any(each.get(key) for key in keys) else empty + 1
            if empty > _MAX_EMPTY_PAGES:
                raise Incomplete(f"AWS answered {operation} with {empty} pages without an entry; run again")
            # Of several lists, such as one for each kind of alarm, AWS leaves out those that were not asked for.
            expected = list(merged) or [key for key in keys if key in each] or keys
            for key in expected:
                if key not in each:
                    raise Incomplete(f"AWS answered {operation} with a page without `{key}`; run again")
                merged.setdefault(key, []).extend(each[key])
        return merged

    def _pagination(self, service: str) -> Mapping[str, Any]:
        """Return botocore's pagination model of the service, by operation."""
        if service not in self._pagination_models:
            loader = self._session.get_component("data_loader")
            try:
                model = loader.load_service_model(service, "paginators-1")
                self._pagination_models[service] = model["pagination"]
            except UnknownServiceError:
                self._pagination_models[service] = {}
        return self._pagination_models[service]

    def _make(self, service: str, region: str) -> Any:
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=self._limits.connect,
            read_timeout=self._limits.write,
            tcp_keepalive=True,
            max_pool_connections=_CONNECTIONS,
            user_agent=self._user_agent,
            s3={"addressing_style": "path"},  # one host for every bucket, so that connections are reused
        )
        # Without a Region, a profile's role is assumed globally.
        if self._session.get_config_variable("region") is None:
            self._session.set_config_variable("region", region)
        with configuration_errors(self._session, endpoint_url=self._endpoint_url):
            client = self._session.create_client(
                service, region_name=region, endpoint_url=self._endpoint_url, config=config
            )
        self._classes.setdefault(client.meta.service_model.service_id.hyphenize(), type(client))
        client.meta.events.register("provide-client-params", guard)
        host = urlsplit(client.meta.endpoint_url)  # of `--endpoint-url`, or of AWS_ENDPOINT_URL
        if _NO_SUBDOMAINS.fullmatch(host.hostname or ""):
            client.meta.events.register("before-sign", partial(_at_the_endpoint, host.netloc))
        client.meta.events.register_first("before-send", self._before_send)
        if self._transport is not None:
            if self._own_signatures:
                direct_reads = DirectReads(client, self._transport, self.keyring.current, self._tally)
                self._direct_reads[service, region] = direct_reads
                client.meta.events.register("before-send", direct_reads.learn)
            client.meta.events.register("before-send", self._transport)
        return client

    def _share_class(self, *, event_name: str = "", **given: Any) -> None:
        """Make the class of a service's client in another Region a subclass of the first: its methods take much memory."""
        if (shared := self._classes.get(event_name.rpartition(".")[2])) is not None:
            given["class_attributes"].clear()
            given["base_classes"][:] = [shared]

    def _before_send(self, event_name: str, request: Any, **_: Any) -> None:
        """Count the request, and note on it whether it writes, which the transports do not see."""
        request.writes = not event_name.rpartition(".")[2].startswith(READS)
        self._tally.count(writes=request.writes)


def _at_the_endpoint(netloc: str, request: Any, **_: Any) -> None:
    """Send the request to the user's endpoint itself: S3 Control adds the account, and an IP address has no such names."""
    request.url = urlsplit(request.url)._replace(netloc=netloc).geturl()


def _reason(client: Any, operation: str, params: dict[str, Any]) -> Any:
    """The answer with the code and message that a refused HEAD gets with GET, if that fails too and has them."""
    try:
        getattr(client, operation)(**params, MaxKeys=1)
    except ClientError as error:
        return None if code_of(error).isdecimal() else error.response
    return None

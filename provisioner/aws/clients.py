"""The botocore clients of one run: one for each service and Region, shared by all accounts.

Each client has the guard, its calls are counted, and its own retries are off: botocore's retry quota belongs to a client,
so that all accounts would share it.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.paginate import Paginator

from .. import __version__
from .errors import Incomplete
from .guard import READS, guard
from .keyring import Keyring
from .options import Options, Tally
from .wire.json_reads import JsonReads
from .wire.transport import Transport

BOTOCORE: Final = botocore.__version__
STOCK: Final = "PROVISION_STOCK_BOTOCORE"  # if this variable is set, botocore connects and signs itself
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 60.0  # seconds
_CONNECTIONS = 64  # botocore's own, to one host
_loader = cache(create_loader)  # AWS's service models are most of the cost of a first client: loaded once
# botocore builds its own for each call, which takes a fifth of the call's CPU time.
_USER_AGENT = (
    f"provision/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}"
    f" {platform.system()}/{platform.machine()}"
)


def default_region(profile: str | None) -> str | None:
    """Return the Region that AWS_REGION, AWS_DEFAULT_REGION or the profile names, or None."""
    session = botocore.session.Session(profile=profile)
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    return str(region) if region else None


class Clients:
    """The clients, and the one session that makes them.

    Raises botocore's ProfileNotFound when *options* name a profile that is not configured.
    """

    def __init__(self, options: Options, tally: Tally):
        self._tally = tally
        self._session = session = botocore.session.Session(profile=options.profile)
        session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
        self.keyring = Keyring(session.get_component("credential_provider").load_credentials)
        session.register_component("credential_provider", self.keyring)
        self._endpoint_url = options.endpoint_url
        self._transport: Transport | None = None
        if options.own_connections and not os.environ.get(STOCK):
            bundle = session.get_config_variable("ca_bundle")
            self._transport = Transport(connect=_CONNECT_TIMEOUT, read=_READ_TIMEOUT, ca_bundle=bundle)
        self._own_signatures = options.own_signatures
        self._clients: dict[tuple[str, str], Any] = {}
        self._json_reads: dict[tuple[str, str], JsonReads] = {}
        self._pagination_models: dict[str, Mapping[str, Any]] = {}  # by service
        self._lock = threading.Lock()  # botocore sessions are not thread-safe; the clients they make are

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        if self._transport is not None:
            self._transport.close()

    def regions(self) -> dict[str, str]:
        """Return every Region that botocore knows, with its partition.

        They are those of STS, which every Region has and whose model is loaded anyway; EC2's model takes 60 ms more.
        """
        session = self._session
        return {
            region: partition
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("sts", partition)
        }

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
        """Return AWS's answer to one request, through JsonReads where that supports it."""
        json_reads = self._json_reads.get((service, region))
        if json_reads is not None and json_reads.supports(operation):
            return json_reads.call(operation, params)
        return getattr(self.client(service, region), operation)(**params)

    def whole(self, service: str, region: str, operation: str, page: Any, params: dict[str, Any]) -> Any:
        """Return the whole answer of an operation, all pages merged. *page* fetches one, given its parameters.

        botocore's `get_paginator` would make a class for each call, and its `build_full_result` would skip a page without
        its list. Such a page does not prove that there is nothing, so it raises Incomplete here.
        """
        client = self.client(service, region)
        name = client.meta.method_to_api_mapping[operation]
        config = self._pagination(service).get(name)
        if config is None:
            return page(**params)
        paginator: Any = Paginator(page, config, client.meta.service_model.operation_model(name))
        pages = paginator.paginate(**params)
        keys = [each.expression for each in pages.result_keys]
        merged: dict[str, Any] = {}
        for each in pages:
            for key in keys:
                if key not in each:
                    raise Incomplete(f"AWS answered {operation} with a page without `{key}`; run again")
                merged[key] = [*merged.get(key, []), *each[key]]
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
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=_READ_TIMEOUT,
            max_pool_connections=_CONNECTIONS,
            user_agent=_USER_AGENT,
            s3={"addressing_style": "path"},  # one host for every bucket, so that connections are reused
        )
        client = self._session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=config
        )
        client.meta.events.register("provide-client-params", guard)
        client.meta.events.register_first("before-send", self._count)
        if self._transport is not None:
            if self._own_signatures:
                json_reads = JsonReads(client, self._transport, self.keyring.current, self._tally)
                self._json_reads[service, region] = json_reads
                client.meta.events.register("before-send", json_reads.learn)
            client.meta.events.register("before-send", self._transport)  # type: ignore[arg-type]
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        self._tally.count(writes=not event_name.rpartition(".")[2].startswith(READS))

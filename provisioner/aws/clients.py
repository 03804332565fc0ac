"""The clients of one run: one for each service and Region, whichever account a call is for.

Each carries the guard, is counted where its calls leave the process, and never tries again by itself: botocore's quota
for that would be shared by all that share the client.
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
from botocore.loaders import Loader, create_loader
from botocore.paginate import Paginator

from .. import __version__
from .guard import READS, guard
from .keyring import Keyring
from .terms import Options, Tally
from .wire.json_reads import JsonReads
from .wire.transport import Transport

BOTOCORE: Final = botocore.__version__
STOCK: Final = (
    "PROVISION_STOCK_BOTOCORE"  # set to anything, all goes through botocore's own connections and signatures
)
CONNECT, READ = 10.0, 60.0  # seconds to wait for a connection, and for an answer
_CONNECTIONS = 64  # of botocore's own, to one host
# botocore makes its own anew for each call, for a fifth of what the call costs.
_USER_AGENT = (
    f"provision/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}"
    f" {platform.system()}/{platform.machine()}"
)


@cache
def _loader(path: str | None) -> Loader:
    """Reads AWS's service models, once in a process: they are most of what a first client costs."""
    return create_loader(path)


class Clients:
    """The clients, and the one session that makes them.

    Raises botocore's ProfileNotFound when *options* name a profile that is not configured.
    """

    def __init__(self, options: Options, tally: Tally):
        self._tally = tally
        self._session = botocore.session.Session(profile=options.profile)
        self._session.register_component(
            "data_loader", _loader(self._session.get_config_variable("data_path"))
        )
        chain = self._session.get_component("credential_provider")
        self.keyring = Keyring(chain.load_credentials)
        self._session.register_component("credential_provider", self.keyring)
        self._endpoint_url = options.endpoint_url
        bundle = self._session.get_config_variable("ca_bundle")
        own = options.own_connections and not os.environ.get(STOCK)
        self._transport = Transport(connect=CONNECT, read=READ, ca_bundle=bundle) if own else None
        self._own_signatures = options.own_signatures
        self._clients: dict[tuple[str, str], Any] = {}
        self._json_reads: dict[tuple[str, str], JsonReads] = {}
        self._pages: dict[str, Mapping[str, Any]] = {}  # by service
        self._lock = threading.Lock()  # botocore sessions are not thread-safe; the clients they make are

    def close(self) -> None:
        """No connection is left."""
        for client in self._clients.values():
            client.close()
        if self._transport is not None:
            self._transport.close()

    @staticmethod
    def default_region(profile: str | None) -> str | None:
        """The Region that AWS_REGION, AWS_DEFAULT_REGION or the profile name, or None."""
        named = os.environ.get("AWS_REGION") or botocore.session.Session(profile=profile).get_config_variable(
            "region"
        )
        return str(named) if named else None

    def regions(self) -> dict[str, str]:
        """Every Region that botocore knows, with its partition.

        Asked of STS, which every Region has: its model is read anyway. EC2's would be for this alone, and takes 60 ms.
        """
        session = self._session
        return {
            region: partition
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("sts", partition)
        }

    def offers(self, service: str, region: str) -> bool:
        """The service exists in the Region, as far as botocore knows."""
        with self._lock:
            partitions = self._session.get_available_partitions()
            found = {each for p in partitions for each in self._session.get_available_regions(service, p)}
        return not found or region in found  # of a global service there are none, and it is everywhere

    def client(self, service: str, region: str) -> Any:
        """The client for *service* in *region*, with the guard on."""
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key) or self._make(service, region)
                self._clients[key] = found
        return found

    def call(self, service: str, region: str, operation: str, params: dict[str, Any]) -> Any:
        """AWS's answer to one request, the short way where there is one."""
        json_reads = self._json_reads.get((service, region))
        if json_reads is not None and json_reads.takes(operation):
            return json_reads.ask(operation, params)
        return getattr(self.client(service, region), operation)(**params)

    def pages(self, service: str, region: str, operation: str, ask: Any) -> Any:
        """A paginator whose pages *ask* fetches, or None where the operation has none.

        botocore's own way makes a class for each call.
        """
        client = self.client(service, region)
        name = client.meta.method_to_api_mapping[operation]
        paging = self._paging(service).get(name)
        if paging is None:
            return None
        return Paginator(ask, paging, client.meta.service_model.operation_model(name))

    def _paging(self, service: str) -> Mapping[str, Any]:
        """How the service's answers come in pages, by operation."""
        if service not in self._pages:
            loader = self._session.get_component("data_loader")
            try:
                self._pages[service] = loader.load_service_model(service, "paginators-1")["pagination"]
            except UnknownServiceError:
                self._pages[service] = {}
        return self._pages[service]

    def _make(self, service: str, region: str) -> Any:
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=CONNECT,
            read_timeout=READ,
            max_pool_connections=_CONNECTIONS,
            user_agent=_USER_AGENT,
            s3={"addressing_style": "path"},  # one host for every bucket, so that connections are used again
        )
        client = self._session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=config
        )
        client.meta.events.register("provide-client-params", guard)
        client.meta.events.register_first("before-send", self._counted)
        if self._transport is not None:
            if self._own_signatures:
                json_reads = JsonReads(client, self._transport, self.keyring.current, self._count)
                self._json_reads[service, region] = json_reads
                client.meta.events.register("before-send", json_reads.learn)
            client.meta.events.register("before-send", self._transport)  # type: ignore[arg-type]
        return client

    def _counted(self, event_name: str, **_: Any) -> None:
        self._count(event_name.partition(".")[2])

    def _count(self, name: str) -> None:
        self._tally.count(name, writes=not name.rpartition(".")[2].startswith(READS))

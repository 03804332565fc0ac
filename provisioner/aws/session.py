"""botocore's session with limits, which also hold for what it does to find credentials: answers and processes.

botocore itself reads an answer of a metadata service, and the output of a `credential_process`, without an end.
"""

from __future__ import annotations

import subprocess
import threading
from typing import IO, Any, Final

import botocore.session
from botocore.credentials import CredentialProvider

from .configuration import is_endpoint
from .options import Limits
from .wire.bounded_session import BoundedSession

_PROCESS: Final = 300.0  # seconds for a `credential_process`, which may ask the user to sign in
_OUTPUT: Final = 1024 * 1024  # bytes of each of its streams


class LimitedSession(botocore.session.Session):
    """A session of *profile*. Raises ValueError for a client whose endpoint is no URL."""

    def __init__(self, profile: str | None, limits: Limits):
        super().__init__(profile=profile)
        self._limits = limits

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """Return a client, also to the providers that assume a role or sign in."""
        client: Any = super().create_client(*args, **kwargs)
        if not is_endpoint(client.meta.endpoint_url):
            raise ValueError(f"Invalid endpoint: {client.meta.endpoint_url}")
        endpoint = client._endpoint  # noqa: SLF001 - botocore has no other way to its HTTP session
        endpoint.http_session = BoundedSession(endpoint.http_session, self._limits)
        return client

    def limit(self, provider: CredentialProvider) -> None:
        """Keep what a credential provider does without a client, and those that it makes for a profile, in limits."""
        given: Any = provider
        for name in ("_fetcher", "_role_fetcher"):  # of containers and of EC2 instances
            fetcher: Any = getattr(given, name, None)
            if (session := getattr(fetcher, "_session", None)) and not isinstance(session, BoundedSession):
                fetcher._session = BoundedSession(session, self._limits)  # noqa: SLF001
        if hasattr(given, "_popen"):
            given._popen = _Process  # noqa: SLF001
        if builder := getattr(given, "_profile_provider_builder", None):
            make = builder.providers

            def providers(*args: Any, **kwargs: Any) -> list[CredentialProvider]:
                made: list[CredentialProvider] = make(*args, **kwargs)
                for each in made:
                    self.limit(each)
                return made

            builder.providers = providers


class _Process(subprocess.Popen[bytes]):
    """A `credential_process`. Its output is read up to a size, and for some time."""

    def communicate(self, *_: Any, **__: Any) -> tuple[bytes, bytes]:
        """Return what it prints on stdout and stderr. Raises TimeoutError and ValueError; the process is then killed."""
        printed: dict[IO[bytes] | None, bytes] = {}

        def read(stream: IO[bytes] | None) -> None:
            printed[stream] = stream.read(_OUTPUT + 1) if stream else b""
            if len(printed[stream]) > _OUTPUT:
                self.kill()

        readers = [threading.Thread(target=read, args=(x,), daemon=True) for x in (self.stdout, self.stderr)]
        try:
            for each in readers:
                each.start()
            self.wait(_PROCESS)
            for each in readers:
                each.join(_PROCESS)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"it did not end within {_PROCESS:.0f} s") from error
        finally:
            self.kill()  # also after Ctrl-C
        if max(map(len, printed.values()), default=0) > _OUTPUT:
            raise ValueError(f"it prints more than {_OUTPUT:,} bytes")
        return printed.get(self.stdout, b""), printed.get(self.stderr, b"")

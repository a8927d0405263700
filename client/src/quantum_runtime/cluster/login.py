"""Credentials, and how they stay fresh: by the official client's loaders, which are asked again now and then."""

# ruff: noqa: D102 - what connections ask of a login is described in `http.Login`

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, kube_config
from kubernetes.aio.config.incluster_config import InClusterConfigLoader

from quantum_runtime.cluster.errors import ConnectionSettingsError, Unauthorized

if TYPE_CHECKING:
    from pathlib import Path

    from quantum_runtime.cluster.kubeconfig import Chosen

log = logging.getLogger(__name__)

USER_AGENT = "quantum-runtime-client"
REFRESH_SECONDS = 60.0
"""How often credentials are looked at: files may have been renewed, and tokens know when they expire."""

UNUSABLE = (
    ConfigException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ssl.SSLError,
    aiohttp.ClientError,
    yaml.YAMLError,
)
"""What the official client raises for settings that are not as they should be."""


def _configuration() -> Configuration:
    configuration = Configuration()
    configuration.connection_pool_maxsize = 0  # no limit: every watch holds a connection
    # As kubectl: Python 3.13 began to refuse certificates without extensions that many clusters' own authorities omit.
    configuration.disable_strict_ssl_verification = True
    return configuration


def _client(configuration: Configuration) -> ApiClient:
    client = ApiClient(configuration)
    client.user_agent = USER_AGENT
    return client


class PodLogin:
    """The service account of the pod this runs in. The official client reads its token again every minute."""

    generation = 0

    def __init__(self, service_account: Path) -> None:
        """Read a service account's token and certificate authority from its folder.

        Raises:
            ConnectionSettingsError: that failed.
        """
        self._configuration = _configuration()
        try:
            InClusterConfigLoader(
                token_filename=str(service_account / "token"), cert_filename=str(service_account / "ca.crt")
            ).load_and_set(self._configuration)
            self.client()
        except UNUSABLE as error:
            message = f"this runs in a pod whose service account cannot be used: {error}"
            raise ConnectionSettingsError(message) from error

    def client(self) -> ApiClient:
        return _client(self._configuration)

    async def renew(self, generation: int) -> bool:
        return self.generation != generation


class KubeconfigLogin:
    """A context of a kubeconfig: certificates, a token, a file with one, or a program that hands one out."""

    def __init__(self, chosen: Chosen) -> None:
        self.generation = 0
        self._chosen = chosen
        self._program = chosen.user.get("exec")
        self._configuration = _configuration()
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._looked = 0.0
        try:
            self._loader = self._read()
        except UNUSABLE as error:
            raise chosen.unusable(error) from error

    async def begin(self) -> None:
        """Get the first credentials.

        Raises:
            ConnectionSettingsError: that failed.
        """
        try:
            await self._load()
            self.client()
        except UNUSABLE as error:
            raise self._chosen.unusable(error) from error
        self._configuration.refresh_api_key_hook = self._refresh  # type: ignore[assignment]  # typed by its default

    def client(self) -> ApiClient:
        client = _client(self._configuration)
        for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
            if self._chosen.user.get(key):
                client.set_default_header(header, str(self._chosen.user[key]))
        return client

    async def renew(self, generation: int) -> bool:
        async with self._alone():
            if self.generation == generation:
                before = self._credentials()
                try:
                    self._loader = self._read()  # who has logged in again meanwhile may have written it anew
                    await self._load()
                except UNUSABLE as error:
                    raise Unauthorized(str(self._chosen.unusable(error))) from error
                if self._credentials() == before:
                    return False
                self.generation += 1
            return True

    async def _refresh(self, configuration: Configuration) -> None:
        """Look, before a request and once a minute, whether the credentials are to be renewed.

        A program that does not say when its token expires is asked for another one only when that is refused.
        """
        if self._program and not hasattr(self._loader, "exec_plugin_expiry"):
            return
        async with self._alone():
            if time.monotonic() < self._looked + REFRESH_SECONDS:
                return
            try:
                await self._load()
            except UNUSABLE as error:  # the present ones may still do; if not, the answer will say so
                log.warning("the credentials could not be renewed: %s", self._chosen.unusable(error))

    def _read(self) -> kube_config.KubeConfigLoader:
        merged = kube_config.KubeConfigMerger(os.pathsep.join(map(str, self._chosen.files)))
        return kube_config.KubeConfigLoader(merged.config, active_context=self._chosen.context, config_base_path=None)

    async def _load(self) -> None:
        self._looked = time.monotonic()
        with _Complaints() as complaints:
            await self._loader.load_and_set(self._configuration)
        if self._program and complaints.lines:
            hint = self._program.get("installHint")
            said = " ".join(complaints.lines) + (f" ({' '.join(hint.split())})" if hint else "")
            raise ConfigException(f"the program {self._program.get('command')} gave no credentials: {said}")

    def _alone(self) -> asyncio.Lock:
        """Return what keeps a program from being asked by many requests at once. Locks belong to an event loop."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = loop, asyncio.Lock()
        return self._lock[1]

    def _credentials(self) -> tuple[Any, ...]:
        return self._configuration.api_key.get("BearerToken"), self._configuration.cert_file


class _Complaints(logging.Filter):
    """Keeps what the official client logs as an error, and has no other way to say: that a program has failed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        self.lines.append(record.getMessage())
        return False

    def __enter__(self) -> _Complaints:
        kube_config.logger.addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        kube_config.logger.removeFilter(self)

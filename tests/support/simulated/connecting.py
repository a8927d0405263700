"""A client for a kubeconfig that `certificates.Authority` has written."""

from __future__ import annotations

import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from runtime_operator.kube.connection import Connection
from runtime_operator.kube.http import HttpKube

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def connect(kubeconfig: Path) -> Connection:
    """Return the connection that this kubeconfig describes."""
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    return Connection(cluster["server"], tls=context)


@asynccontextmanager
async def client(kubeconfig: Path) -> AsyncIterator[HttpKube]:
    """Yield a client with this kubeconfig."""
    connection = connect(kubeconfig)
    session = connection.session()
    try:
        yield HttpKube(session)
    finally:
        await session.close()
        await connection.close()

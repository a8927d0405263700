"""Certificates and kubeconfigs of a control plane that lives for minutes, made by ``openssl`` (3.0 or later).

Keys are ECDSA P-256: a handshake costs less than with kubeadm's RSA keys, on both sides alike.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pair = Pair(folder / "ca.crt", folder / "ca.key")
        _openssl(
            self.pair, "/CN=simulated-cluster", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
        )

    def issue(self, name: str, *, organization: str = "", addresses: tuple[str, ...] = ()) -> Pair:
        """Return a certificate for this user (and group), or for a server at these names (``IP:..``, ``DNS:..``)."""
        pair = Pair(self._folder / f"{name.replace(':', '-')}.crt", self._folder / f"{name.replace(':', '-')}.key")
        subject = (f"/O={organization}" if organization else "") + f"/CN={name}"
        more = ["-CA", str(self.pair.certificate), "-CAkey", str(self.pair.key)]
        more += ["-addext", "basicConstraints=critical,CA:FALSE"]
        more += ["-addext", f"extendedKeyUsage={'serverAuth' if addresses else 'clientAuth'}"]
        if addresses:
            more += ["-addext", f"subjectAltName={','.join(addresses)}"]
        _openssl(pair, subject, *more)
        return pair

    def kubeconfig(self, name: str, server: str, *, organization: str = "") -> Path:
        """Return a kubeconfig (JSON is YAML) with which this user reaches the server."""
        pair = self.issue(name, organization=organization)
        user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        return self._kubeconfig(name, server, user)

    def token_kubeconfig(self, name: str, server: str, token: str) -> Path:
        """Return a kubeconfig with which whoever has this token reaches the server."""
        return self._kubeconfig(name, server, {"token": token})

    def _kubeconfig(self, name: str, server: str, user: dict[str, str]) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": server, "certificate-authority": str(self.pair.certificate)}}
            ],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path = self._folder / f"{name.replace(':', '-')}.kubeconfig"
        path.write_text(json.dumps(config))
        return path


def _openssl(pair: Pair, subject: str, *more: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", str(DAYS), "-subj", subject, "-keyout", str(pair.key), "-out", str(pair.certificate), *more]
    subprocess.run(command, check=True, capture_output=True)

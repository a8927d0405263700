"""Writes the container images a node starts with into one docker archive.

Each image is a single layer made of files that are already here: no base
image, no daemon, no registry. Which images there have to be, and under which
names, is what kubeadm lists; this program only knows what goes into each.
"""

import argparse
import hashlib
import io
import json
import platform
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
NETPOL_IMAGE = "quantum-runtime/netpol:test"


@dataclass
class Image:
    """What one image contains: destinations are absolute, sources are files here."""

    name: str
    files: dict[str, Path]
    links: dict[str, str] = field(default_factory=dict)
    directories: tuple[str, ...] = ("tmp",)
    entrypoint: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--root", type=Path, required=True, help="Debian tree that lends nft, iptables and libraries")
    parser.add_argument("--kubernetes", type=Path, required=True, help="folder of the Kubernetes binaries")
    parser.add_argument("--etcd", type=Path, required=True)
    parser.add_argument("--coredns", type=Path, required=True)
    parser.add_argument("--coredns-tag", required=True, help="instead of the tag kubeadm names")
    parser.add_argument("--pause", type=Path, required=True)
    parser.add_argument("--netpol", type=Path, required=True)
    parser.add_argument("names", nargs="+", help="what kubeadm and containerd will ask for")
    args = parser.parse_args()
    images = [_image(name, args) for name in dict.fromkeys(args.names)]
    images.append(_netpol(args))
    with tarfile.open(args.archive, "w") as archive:
        _write(archive, images)


def _image(name: str, args: argparse.Namespace) -> Image:
    repository = name.rpartition(":")[0]
    program = repository.rpartition("/")[2]
    match program:
        case "kube-proxy":
            return _kube_proxy(name, args)
        case "etcd":
            return Image(name, {"/usr/local/bin/etcd": args.etcd})
        case "coredns":
            return Image(f"{repository}:{args.coredns_tag}", {"/coredns": args.coredns}, entrypoint=("/coredns",))
        case "pause":
            return Image(name, {"/pause": args.pause}, entrypoint=("/pause",))
        case _:
            return Image(name, {f"/usr/local/bin/{program}": args.kubernetes / program})


def _kube_proxy(name: str, args: argparse.Namespace) -> Image:
    root: Path = args.root
    files = {"/usr/local/bin/kube-proxy": args.kubernetes / "kube-proxy"}
    for program in ("xtables-nft-multi", "nft", "conntrack", "ipset"):
        files |= _borrowed(root, f"/usr/sbin/{program}")
    for extension in root.glob("usr/lib/*-linux-gnu/xtables/*.so"):
        files |= _borrowed(root, "/" + str(extension.relative_to(root)))
    links = {
        f"/usr/sbin/{family}{suffix}": "xtables-nft-multi"
        for family in ("iptables", "ip6tables")
        for suffix in ("", "-save", "-restore")
    }
    return Image(name, files | _network_names(root), links, directories=("tmp", "run"))


def _netpol(args: argparse.Namespace) -> Image:
    program = "/usr/local/bin/netpol"
    files = {program: args.netpol} | _borrowed(args.root, "/usr/sbin/nft") | _network_names(args.root)
    return Image(NETPOL_IMAGE, files, entrypoint=(program,))


def _network_names(root: Path) -> dict[str, Path]:
    return {path: root / path[1:] for path in ("/etc/protocols", "/etc/services") if (root / path[1:]).exists()}


def _borrowed(root: Path, program: str) -> dict[str, Path]:
    """A program of the tree with the libraries its loader asks for, links followed."""
    listing = subprocess.run(
        ["chroot", root, "/usr/bin/ldd", program], capture_output=True, text=True, check=True
    ).stdout
    return {path: (root / path[1:]).resolve() for path in [program, *re.findall(r"(/\S+) \(0x", listing)]}


def _write(archive: tarfile.TarFile, images: list[Image]) -> None:
    manifest = []
    for image in images:
        layer = _layer(image)
        digest = hashlib.sha256(layer).hexdigest()
        config = json.dumps(
            {
                "architecture": ARCHITECTURE,
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": {"Entrypoint": list(image.entrypoint), "Env": [f"PATH={PATH}"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                "history": [{"created_by": "container_images.py"}],
            }
        ).encode()
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        layer_name = f"{digest}/layer.tar"
        _add_bytes(archive, config_name, config)
        _add_bytes(archive, layer_name, layer)
        manifest.append({"Config": config_name, "RepoTags": [image.name], "Layers": [layer_name]})
    _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())


def _layer(image: Image) -> bytes:
    """The same files give the same bytes: no owners, no times, sorted names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as layer:
        paths = [*image.files, *image.links]
        parents = {str(p)[1:] for path in paths for p in Path(path).parents} - {""}
        for directory in sorted(parents | set(image.directories)):
            info = tarfile.TarInfo(directory)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(info)
        for path, source in sorted(image.files.items()):
            info = tarfile.TarInfo(path[1:])
            info.size, info.mode = source.stat().st_size, 0o755
            with source.open("rb") as content:
                layer.addfile(info, content)
        for path, target in sorted(image.links.items()):
            info = tarfile.TarInfo(path[1:])
            info.type, info.linkname = tarfile.SYMTYPE, target
            layer.addfile(info)
    return buffer.getvalue()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    main()

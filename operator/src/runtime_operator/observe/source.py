"""A program's files as they stand in a ConfigMap."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from runtime_operator.observe.snapshots import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_operator.api.v1alpha1 import ConfigMapRef


def source_of(config_map: Mapping[str, Any] | None, ref: ConfigMapRef) -> Source:
    """Return the files that this reference names, or why there are none.

    ``binaryData`` counts where it is UTF-8: tools choose between the two by the size or the name of a file.
    """
    if config_map is None:
        return Source(files=None, problem=f"there is no ConfigMap {ref.name!r}")
    keys = {**(config_map.get("binaryData") or {}), **(config_map.get("data") or {})}
    wanted = [(item.key, item.path) for item in ref.items] or [(key, key) for key in keys]
    if missing := sorted({key for key, _ in wanted if key not in keys}):
        there = ", ".join(sorted(keys)[:10]) or "none at all"
        what = ", ".join(repr(key) for key in missing[:10])
        return Source(files=None, problem=f"ConfigMap {ref.name!r} has no key {what}; its keys: {there}")
    binary = keys.keys() - (config_map.get("data") or {}).keys()
    files = {}
    for key, path in wanted:
        text = _text(keys[key]) if key in binary else keys[key]
        if text is None:
            return Source(files=None, problem=f"key {key!r} of ConfigMap {ref.name!r} is not UTF-8 text")
        files[path] = text
    return Source(files=files)


def _text(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None

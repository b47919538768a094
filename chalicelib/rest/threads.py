"""Let several threads decode at the same time, as local servers do. A function answers one request after the other."""

import importlib
import pkgutil

import msgspec

import chalicelib


def prepare() -> None:
    """Read the fields of all structs. msgspec reads them at the first use, and crashes if two threads do so at once."""
    for module in pkgutil.walk_packages(chalicelib.__path__, f"{chalicelib.__name__}."):
        importlib.import_module(module.name)  # some modules are imported by the first request that needs them
    pending: list[type[msgspec.Struct]] = msgspec.Struct.__subclasses__()
    while pending:
        struct = pending.pop()
        pending += struct.__subclasses__()
        msgspec.json.Decoder(struct)

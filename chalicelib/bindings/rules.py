"""Crosstalk that is refused (rule 9 of docs/registry/rules.md)."""

from collections.abc import Iterable, Iterator

from chalicelib.bindings.model import Binding, OtherBinding, crosstalk_refused
from chalicelib.rest.problems import Fault, Problem


def require_no_refused_crosstalk(bindings: Iterable[Binding], others: Iterable[OtherBinding]) -> None:
    """Refuse a binding if another environment uses its instance, one of the two writes, and one is exclusive."""
    faults = list(_faults(bindings, list(others)))
    if faults:
        detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
        raise Problem(crosstalk_refused, detail, errors=faults)


def _faults(bindings: Iterable[Binding], others: list[OtherBinding]) -> Iterator[Fault]:
    for index, binding in enumerate(bindings):
        for other in others:
            if (
                other.instance == binding.instance
                and "read_write" in (binding.access, other.access)
                and (binding.exclusive or other.exclusive)
            ):
                yield Fault(f"#/bindings/{index}", _detail(binding, other))
                break


def _detail(binding: Binding, other: OtherBinding) -> str:
    by = "an environment of a system that you may not read"
    if other.system is not None:
        by = f"{other.environment} of {other.system}"
    writer = "this environment" if binding.access == "read_write" else by
    whose = "this binding" if binding.exclusive else "the other binding"
    return (
        f"{binding.dependency}: {by} uses the same instance, {writer} writes to it, and {whose} is exclusive: bind "
        "this environment to an instance of its own"
    )

"""Crosstalk that is refused (rule 9 of docs/registry/rules.md)."""

from collections.abc import Iterable, Iterator

from chalicelib.bindings.model import Binding, OtherBinding, crosstalk_refused
from chalicelib.rest.problems import Fault, Problem


def require_no_refused_crosstalk(bindings: Iterable[Binding], others: Iterable[OtherBinding]) -> None:
    """Refuse an instance that another environment uses, if one of the two writes and one has an exclusive binding.

    An environment can have several bindings to an instance. They count together.
    """
    faults = list(_faults(list(bindings), list(others)))
    if faults:
        detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
        raise Problem(crosstalk_refused, detail, errors=faults)


def _faults(bindings: list[Binding], others: list[OtherBinding]) -> Iterator[Fault]:
    for index, binding in enumerate(bindings):
        own = [each for each in bindings if each.instance == binding.instance]
        writes = any(each.access == "read_write" for each in own)
        exclusive = any(each.exclusive for each in own)
        for other in others:
            if (
                other.instance == binding.instance
                and (writes or other.access == "read_write")
                and (exclusive or other.exclusive)
            ):
                yield Fault(
                    f"#/bindings/{index}", _detail(binding.dependency, other, writes=writes, exclusive=exclusive)
                )
                break


def _detail(dependency: str, other: OtherBinding, *, writes: bool, exclusive: bool) -> str:
    by = "an environment of a system that you may not read"
    if other.system is not None:
        by = f"{other.environment} of {other.system}"
    writer = "this environment" if writes else by
    whose = "this environment" if exclusive else by
    return (
        f"{dependency}: {by} uses the same instance, {writer} writes to it, and a binding of {whose} is exclusive: "
        "bind this environment to an instance of its own"
    )

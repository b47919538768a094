"""Apply and destroy targets: `make apply|destroy ENV=…`. For a debug workspace, keep its address and routes up to date.

CloudFront's function finds a debug workspace by the address that this module writes. Nothing else writes an address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tools.aws import doctor, environment
from tools.aws.routes import Routes
from tools.aws.target import Target


def apply(target: Target, *, saved: bool = False) -> dict[str, Any]:
    """Apply the saved plan or a new one, then write the address of a debug workspace. Return the outputs."""
    if target.emulated is None and not target.states.exists(target.terraform_workspace):
        doctor.before_first_apply(target)
    outputs = environment.apply(target, saved=saved)
    if routes := _routes(target):
        routes.put_address(target.workspace, outputs["api"])
    return outputs


def destroy(target: Target) -> None:
    """Delete a debug workspace's routes and address, then destroy the target."""
    for store, client, _ in routed(target):
        store.delete(client)
    if routes := _routes(target):
        routes.delete_address(target.workspace)
    environment.destroy(target)


def routed(target: Target) -> Iterator[tuple[Routes, str, dict[str, Any]]]:
    """Yield each route to a debug workspace: the environment's store, the client, and the entry."""
    if routes := _routes(target):
        for client, sent in routes.all().items():
            if sent["workspace"] == target.workspace:
                yield routes, client, sent


def own(target: Target) -> Target:
    """Return the environment that a workspace copies."""
    return replace(target, workspace="default", debug=False, choices={})


def apply_command(environ: Mapping[str, str]) -> None:
    """Apply a new plan of the target, or with PLAN=1 the saved plan."""
    target = environment.target_of(environ)
    print(f"{target.name} is at {apply(target, saved=environ.get('PLAN') == '1')['url']}")


def destroy_command(environ: Mapping[str, str]) -> None:
    """Destroy the target that the variables name."""
    target = environment.target_of(environ)
    destroy(target)
    print(f"{target.name} is destroyed")


def _routes(target: Target) -> Routes | None:
    """Return the routes of a debug workspace's environment. None if the target or the environment takes no routes.

    The roles of other workspaces don't reach the environment's state and routes.
    """
    if not target.debug:
        return None
    outputs = environment.outputs(own(target))
    return Routes(own(target), outputs) if outputs.get("site") else None

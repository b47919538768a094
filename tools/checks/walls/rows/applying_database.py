"""The rows about pipelines' roles and the database, its secrets and its key."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checks.walls.places import (
    Places,
    Target,
    anything,
    cluster,
    dependency_secret,
    elsewhere,
    key,
    named,
    new,
    preview,
    secret_of_master,
    untagged,
)
from tools.checks.walls.rows.applying import APPLY, MAKERS, Applier
from tools.checks.walls.table import Context, Wall, acts

snapshot = named("arn:aws:rds:{place}:cluster-snapshot:{name}-last")
instance = named("arn:aws:rds:{place}:db:{name}-1")
parameters = named("arn:aws:rds:{place}:cluster-pg:{name}")
subnets = named("arn:aws:rds:{place}:subgrp:{name}")
alias = named("arn:aws:kms:{place}:alias/{name}")
readers_secret = named("arn:aws:secretsmanager:{place}:secret:{name}-reader-AbCdEf")
_WITH_GROUPS = "CreateDBInstance ModifyDBCluster ModifyDBInstance"
USE = acts("kms", "CreateGrant Decrypt GenerateDataKey")


def via(service: str) -> dict[str, str | list[str]]:
    """Return the context of a request that a service makes for the role."""
    return {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    yield from _database(by)
    yield from _secrets(by)
    yield from _keys(by)
    yield from _copies(by)


def _database(by: Applier) -> Iterator[Wall]:
    tags = "AddTagsToResource RemoveTagsFromResource"
    data_api = "DisableHttpEndpoint EnableHttpEndpoint"
    for what, place, made, deleted in (
        (
            "clusters",
            cluster,
            f"CreateDBCluster CreateDBClusterSnapshot CreateDBInstance ModifyDBCluster {data_api}",
            "DeleteDBCluster",
        ),
        ("instances", instance, "CreateDBInstance ModifyDBInstance RebootDBInstance", "DeleteDBInstance"),
        ("snapshots", snapshot, "CreateDBClusterSnapshot", "DeleteDBCluster"),
        (
            "parameters of clusters",
            parameters,
            "CreateDBCluster CreateDBClusterParameterGroup ModifyDBClusterParameterGroup ResetDBClusterParameterGroup",
            "DeleteDBClusterParameterGroup",
        ),
        ("groups of subnets", subnets, "CreateDBSubnetGroup ModifyDBSubnetGroup", "DeleteDBSubnetGroup"),
    ):
        yield by.by_name(f"creates and changes {what}", acts("rds", f"{made} {tags}"), place, MAKERS)
        yield by.by_name(f"deletes {what}", acts("rds", deleted), place)
    # RDS asks for these groups too. They are AWS's own, and nobody can change them.
    for type_, name, actions in (
        ("og", "default:aurora-postgresql-16", f"CreateDBCluster RestoreDBClusterToPointInTime {_WITH_GROUPS}"),
        ("pg", "default.aurora-postgresql16", _WITH_GROUPS),
    ):
        place = named(f"arn:aws:rds:{{place}}:{type_}:{name}")
        yield by.unlimited(
            f"uses AWS's own {type_}", acts("rds", actions), place, MAKERS, not_of=list(map(elsewhere, by.own))
        )
    yield by.by_name("deletes snapshots for good", acts("rds", "DeleteDBClusterSnapshot"), snapshot, ())


def _secrets(by: Applier) -> Iterator[Wall]:
    create = acts("secretsmanager", "CreateSecret TagResource")
    read = acts("secretsmanager", "GetSecretValue PutSecretValue")
    yield by.unlimited(
        "lets RDS create the master's secret", create, secret_of_master, MAKERS, not_of=list(map(elsewhere, by.own))
    )
    yield by.by_name(
        "creates and changes the secret of the login for people",
        (*create, *acts("secretsmanager", "UntagResource UpdateSecret")),
        readers_secret,
        MAKERS,
    )
    yield by.by_name(
        "deletes the secret of the login for people", acts("secretsmanager", "DeleteSecret"), readers_secret
    )
    yield by.by_name("reads or writes the master's password", read, secret_of_master, ())
    yield by.by_name("reads or writes the password of the login for people", read, readers_secret, ())
    every = (*read, *create, *acts("secretsmanager", "DeleteSecret UpdateSecret"))
    yield by.by_name("reads, makes, changes or deletes a secret of a dependency", every, dependency_secret, ())


def _keys(by: Applier) -> Iterator[Wall]:
    yield by.by_tag("creates keys", acts("kms", "CreateKey"), new(anything), MAKERS)
    yield from by.tagging("key", acts("kms", "TagResource"), key)
    change = acts("kms", "PutKeyPolicy UntagResource UpdateAlias UpdateKeyDescription")
    finish = acts("kms", "CreateAlias EnableKeyRotation")
    delete = acts("kms", "DeleteAlias ScheduleKeyDeletion")
    name = acts("kms", "CreateAlias UpdateAlias")
    yield by.by_tag("changes keys", change, key, MAKERS)
    yield by.by_tag("deletes keys", delete, key)
    # The tags of a new key may take minutes to count.
    yield by.exactly("finishes keys", finish, key, MAKERS)
    there = list(map(elsewhere, by.own))
    yield by.unlimited("finishes keys whose tags do not count yet", finish, untagged(key), MAKERS, not_of=there)
    yield by.by_name("names keys", name, alias, MAKERS)
    yield by.by_name("deletes names of keys", acts("kms", "DeleteAlias"), alias)
    # The firewall in front of an environment's site logs in us-east-1, with a key there.
    yield by.by_tag("tags, changes and deletes keys in us-east-1", (*change, *delete), _there(key), APPLY)
    yield by.exactly("finishes keys in us-east-1", finish, _there(key), APPLY)
    yield from by.tagging("key in us-east-1", acts("kms", "TagResource"), _there(key), APPLY)
    yield by.by_name("names keys in us-east-1", (*name, "kms:DeleteAlias"), _there(alias), APPLY)
    wrong: list[Context] = [{}, via("s3"), {"kms:ViaService": "rds.us-west-2.amazonaws.com"}]
    for service in ("rds", "secretsmanager", "sns"):
        of = _copied(by) if service == "rds" else by.own
        yield by.by_tag(f"lets {service} encrypt and decrypt", USE, key, MAKERS, via(service), wrong, of=of)
    of_sns: Context = {"kms:ViaService": "sns.us-east-1.amazonaws.com"}
    yield by.by_tag("lets sns encrypt and decrypt in us-east-1", USE, _there(key), APPLY, of_sns, wrong)


def _copies(by: Applier) -> Iterator[Wall]:
    restore = acts("rds", "RestoreDBClusterToPointInTime")
    yield by.by_name("copies clusters", restore, cluster, MAKERS, of=_copied(by))
    for place in (parameters, subnets):
        yield by.by_name("copies clusters into its own network", restore, place, MAKERS)
    if by.kind == "apply":
        return
    on = key(by.environment)
    does = "lets rds use the key of its environment, to copy the database"
    if by.kind == "debug":
        others = (key(by.neighbour), key(preview(by.environment)), replace(on, facts={}))
        yield Wall(by.who, does, USE, (on,), others, via("rds"), ({}, via("secretsmanager"), via("sns")))
    else:
        yield Wall(by.who, does, USE, not_on=(on, key(by.neighbour)), when=via("rds"))


def _copied(by: Applier) -> tuple[Target, ...]:
    """Return the targets whose clusters a role may copy. Only a debug workspace may copy its environment's."""
    return (*by.own, by.environment) if by.kind == "debug" else by.own


def _there(place: Places) -> Places:
    """Return the same kind of place in us-east-1."""
    return lambda of: place(replace(of, region="us-east-1"))

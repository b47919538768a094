"""The check of IAM policies finds each kind of fault in small policies that have the fault."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tools.checkout import ToolError
from tools.checks import npm
from tools.checks.walls import complete, exceptions, mutations, reference, regions, report, sizes, table
from tools.checks.walls.evaluator import Answer, Question, ask
from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    Target,
    elsewhere,
    function,
    named,
    part,
    tags_of_new_api,
)
from tools.checks.walls.principals import OfFunction
from tools.checks.walls.rendered import Policy, Rendered, Role
from tools.checks.walls.table import Wall, acts, wall

pytestmark = pytest.mark.skipif(npm.missing() is not None, reason=f"infrastructure: {npm.missing()}")

WHO = OfFunction("api", DEVELOPMENT)
ACCOUNT = DEVELOPMENT.account_id


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}


def rendered(*statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> Rendered:
    """Return the policies of one role, WHO."""
    policies = {"own": Policy("identity", document(*statements))}
    if boundary:
        policies["boundary"] = Policy("identity", document(boundary))
    role = Role(WHO.arn, "trust", ("own",), "boundary" if boundary else None)
    return Rendered(policies, {WHO.arn: role})


UPDATE = acts("lambda", "UpdateFunctionCode")
CODE = {"Sid": "Code", "Action": [*UPDATE], "Resource": [f"arn:aws:lambda:*:*:function:{DEVELOPMENT.name}-*"]}
NEIGHBOUR = [PREPRODUCTION]


def row(of: Sequence[Target] = (DEVELOPMENT,), not_of: Sequence[Target] = NEIGHBOUR) -> Wall:
    return wall(WHO, "changes code", UPDATE, function(), of, not_of)


def test_an_answer_names_the_statement_that_decided() -> None:
    yes, no = report.judge(rendered(CODE), [row()])

    assert (yes.answer.allowed, yes.answer.reason) == (True, "allowed by Code of own")
    assert (no.answer.allowed, no.answer.reason) == (False, "no statement allows it")


def test_a_row_that_expects_another_answer_fails() -> None:
    found = report.judge(rendered({**CODE, "Resource": "arn:aws:lambda:*:*:function:*"}), [row()])

    [failure] = report.failures(found)
    assert f"{PREPRODUCTION.name}-api" in failure
    assert "is allowed: allowed by Code of own" in failure


def test_a_boundary_limits_what_a_policy_allows() -> None:
    found = report.judge(rendered({**CODE, "Resource": "*"}, boundary=CODE), [row()])

    assert [each.answer.allowed for each in found] == [True, False]
    assert found[1].answer.reason == "outside of the boundary"


def test_a_denial_wins_and_is_named() -> None:
    denial = {**CODE, "Sid": "Never", "Effect": "Deny"}

    [no] = report.judge(rendered(CODE, denial), [row(of=(), not_of=[DEVELOPMENT])])

    assert no.answer.reason == "denied by Never of own"


def test_tags_count_only_if_the_action_supports_them() -> None:
    tagged = {"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/environment": DEVELOPMENT.environment}}}
    found = rendered({**tagged, "Action": ["ec2:DeleteSubnet", "kms:CreateAlias"]})
    subnet = wall(WHO, "deletes a subnet", acts("ec2", "DeleteSubnet"), part("subnet"), [DEVELOPMENT], NEIGHBOUR)
    alias = wall(
        WHO, "names a key", acts("kms", "CreateAlias"), named("arn:aws:kms:{place}:alias/{name}"), not_of=[DEVELOPMENT]
    )

    assert all(each.holds for each in report.judge(found, [subnet, alias]))


def test_a_literal_star_matches_no_other_text() -> None:
    pattern = tags_of_new_api(DEVELOPMENT).resource.removesuffix("*") + "${*}"
    found = rendered({"Action": "apigateway:PUT", "Resource": pattern})
    existing = replace(tags_of_new_api(DEVELOPMENT), resource=pattern.replace("${*}", "api1"))
    new = Wall(WHO, "tags", acts("apigateway", "PUT"), (tags_of_new_api(DEVELOPMENT),), (existing,))

    assert all(each.holds for each in report.judge(found, [new]))


def test_a_wildcard_may_stand_for_the_type_of_a_resource() -> None:
    found = rendered({"Action": "ec2:DeleteSubnet", "Resource": f"arn:aws:ec2:{DEVELOPMENT.place}:*/*"})
    subnet = wall(WHO, "deletes", acts("ec2", "DeleteSubnet"), part("subnet"), [DEVELOPMENT], [elsewhere(DEVELOPMENT)])

    assert all(each.holds for each in report.judge(found, [subnet]))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"actions": acts("lambda", "ChangeCode")}, "AWS has no action lambda:ChangeCode"),
        ({"actions": acts("s3", "GetObject")}, "s3:GetObject does not act on arn:aws:lambda"),
        ({"when": {"kms:ViaService": "rds"}}, "has no kms:ViaService"),
    ],
)
def test_a_request_that_aws_can_not_get_is_refused(broken: dict[str, Any], named: str) -> None:
    with pytest.raises(ToolError, match=named):
        report.judge(rendered(CODE), [replace(row(), **broken)])


def test_a_policy_that_is_not_valid_is_refused() -> None:
    policies = {"own": Policy("identity", {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]})}

    with pytest.raises(ToolError, match="Policies are not valid"):
        ask(policies, [Question(WHO.arn, UPDATE[0], function()(DEVELOPMENT).resource, ACCOUNT, identity=("own",))])


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ({"Action": "s3:ReadObject", "Resource": "*"}, "s3:ReadObject is no action of AWS"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}, "s3:GetObject acts on none of the resources"),
        (
            {"Action": "cloudfront:CreateFunction", "Resource": "arn:aws:cloudfront::1:function/a"},
            "cloudfront:CreateFunction has no resources: only the resource * allows it",
        ),
        (
            {"Action": "ec2:DeleteSubnet", "Resource": ["arn:aws:ec2:r:1:subnet/*", "arn:aws:ec2:r:1:vpc/*"]},
            "no action acts on arn:aws:ec2:r:1:vpc/*",
        ),
        (
            {
                "Action": "kms:CreateAlias",
                "Resource": "arn:aws:kms:r:1:alias/a",
                "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}},
            },
            "kms:CreateAlias does not support aws:ResourceTag/a: StringEquals never holds",
        ),
        (
            {
                "Action": "kms:CreateAlias",
                "Resource": "arn:aws:kms:r:1:alias/a",
                "Condition": {"StringNotEqualsIfExists": {"aws:ResourceTag/a": "b"}},
            },
            "kms:CreateAlias does not support aws:ResourceTag/a: StringNotEqualsIfExists limits nothing",
        ),
    ],
)
def test_the_reference_refuses_a_statement(statement: dict[str, Any], fault: str) -> None:
    assert fault in [sentence for _, sentence in reference.faults(document(statement))]


def test_the_reference_accepts_what_aws_supports() -> None:
    assert list(reference.faults(document(CODE))) == []


def test_an_action_or_role_without_a_row_and_a_row_without_a_twin_are_gaps() -> None:
    more = rendered({**CODE, "Action": [*UPDATE, "lambda:DeleteFunction"]})
    more.roles["other"] = Role("arn:aws:iam::1:role/other", "trust", ("own",), None)

    gaps = list(complete.gaps(more, report.judge(more, [row(not_of=[])])))

    assert [each.partition(",")[0].partition(":")[0] for each in gaps] == [
        "Code of own allows lambda",
        "other has no row",
        f"{WHO.name} changes code",
    ]


def test_a_denial_that_decides_nothing_is_a_gap() -> None:
    never = {"Sid": "Never", "Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": "*"}
    found = rendered(CODE, never)

    [gap] = complete.gaps(found, report.judge(found, [row()]))

    assert gap.startswith("Never of own denies nothing in the table")


def test_a_function_without_a_row_is_a_gap_even_if_its_role_has_no_policy() -> None:
    arn = f"{WHO.arn}-new"
    found = rendered(CODE)
    found.roles[arn] = Role(arn, "trust", (), None)
    found.functions.add(f"{WHO.name}-new")

    [gap] = complete.gaps(found, report.judge(found, [row()]))

    assert gap.startswith(f"{WHO.name}-new has no row")


def test_an_exception_that_nothing_needs_is_a_fault() -> None:
    first, *others = exceptions.ACCEPTED
    needed = [f"Logs{each} and no row asks for it" for each in others]

    assert list(exceptions.unaccepted([f"Logs{first} and no row asks for it", *needed])) == []
    assert list(exceptions.unaccepted(["a fault", *needed])) == [
        "a fault",
        f"No statement needs the exception {first!r}: remove it",
    ]


def test_a_policy_or_a_role_that_is_too_large_is_refused() -> None:
    large = Policy("identity", document({**CODE, "Resource": "a" * sizes.MANAGED}), managed=True)
    policies = {str(number): large for number in range(sizes.MANAGED_OF_A_ROLE + 1)}
    inline = Policy("identity", document({**CODE, "Resource": "a" * sizes.INLINE_OF_A_ROLE}))
    trust = Policy("trust", document({**CODE, "Resource": "a" * sizes.TRUST}))
    role = Role(WHO.arn, "trust", (*policies, "inline"), None)

    found = list(sizes.too_large(Rendered({**policies, "inline": inline, "trust": trust}, {WHO.arn: role})))

    assert len([each for each in found if f"AWS allows {sizes.MANAGED}:" in each]) == len(policies)
    assert len([each for each in found if f"AWS allows {sizes.TRUST}:" in each]) == 1
    assert [each.rpartition("AWS allows ")[2] for each in found[-2:]] == [
        str(sizes.INLINE_OF_A_ROLE),
        f"{sizes.MANAGED_OF_A_ROLE}: join some",
    ]


def test_white_space_does_not_count() -> None:
    assert sizes.characters(Policy("identity", {"a": ["b  c", "d"]})) == len('{"a":["bc","d"]}')


def test_the_draw_has_all_kinds_and_only_repeats_with_its_seed() -> None:
    statement = {**CODE, "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}}
    policies = rendered(statement, {**CODE, "Effect": "Deny"}).policies

    drawn = mutations.draw(policies, 1, 4)

    assert {each.kind for each in drawn} == set(mutations.KINDS)
    assert mutations.draw(policies, 1, 4) == drawn


def mutation(kind: str, **changed: Any) -> mutations.Mutation:
    """Return a mutation of the policy `own` with the one statement CODE."""
    statement = {**CODE, **changed}
    return mutations.Mutation(kind, "own", "", Policy("identity", document(statement)), tuple(statement["Action"]))


def test_a_row_with_the_right_twin_catches_a_mutation() -> None:
    region = {**CODE, "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}}
    wider = mutation("a wider name", Resource="*")
    longer = mutation("an action more", Action=[*UPDATE, "lambda:GetFunction"])
    found = rendered(region)
    when = {"aws:RequestedRegion": "eu-central-1"}
    asked = table.asked([replace(row(), when=when)], found)

    left = mutations.survivors(table.policies(found), asked, [wider, longer])

    assert left == []


def test_a_mutation_that_changes_no_answer_survives() -> None:
    found = rendered(CODE)
    wider = mutation("a wider name", Resource="*")
    asked = table.asked([row(not_of=[])], found)

    assert mutations.survivors(table.policies(found), asked, [wider]) == [wider]


def test_a_boundary_does_not_hide_a_fault_of_the_policy_that_it_limits() -> None:
    found = rendered(CODE, boundary=CODE)
    asked = table.asked([row()], found)

    assert mutations.survivors(table.policies(found), asked, [mutation("a wider name", Resource="*")]) == []


def test_the_table_is_printed_with_answers_and_reasons() -> None:
    printed = list(report.lines(report.judge(rendered(CODE), [row()])))

    own, neighbour = (function()(each).resource.removeprefix("arn:aws:") for each in (DEVELOPMENT, PREPRODUCTION))
    assert printed == [
        f"\n{WHO.name}",
        "  changes code: lambda:UpdateFunctionCode",
        f"    Yes allowed by Code of own: {own}",
        f"    No  no statement allows it: {neighbour}",
    ]


def test_the_table_marks_a_wrong_answer_and_names_what_differs_from_the_row() -> None:
    found = rendered({**CODE, "Resource": "*"})
    when = {"aws:RequestedRegion": "eu-west-1"}
    printed = list(report.lines(report.judge(found, [replace(row(not_of=[]), not_when=(when,))])))

    assert "\n".join(printed).count("!!  Yes") == 1
    assert f"with {when}" in " ".join(map(str.strip, printed))


def test_an_answer_says_what_decided() -> None:
    assert Answer(allowed=False, allowing=(), denying=(), blocked_by=("pb",)).reason == "outside of the boundary"


def test_an_action_that_needs_another_type_of_resource_too_is_a_fault() -> None:
    create = {
        "Action": "rds:CreateDBCluster",
        "Resource": [f"arn:aws:rds:*:*:{each}:a" for each in ("cluster", "subgrp")],
    }
    groups = {"Action": "rds:CreateDBCluster", "Resource": "arn:aws:rds:*:*:cluster-pg:a"}

    [fault] = reference.incomplete([document(create), document(groups)])

    assert fault.startswith("rds:CreateDBCluster also needs a resource of the type og:")


def test_a_statement_about_a_type_covers_each_region_in_which_the_environment_makes_the_type() -> None:
    name = f"{DEVELOPMENT.system}-account-apply-{DEVELOPMENT.environment}"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    here, there = (f"arn:aws:kms:{region}:{ACCOUNT}:key/*" for region in ("eu-central-1", "us-east-1"))
    one, both, through = (
        {"Sid": sid, "Action": "kms:EnableKeyRotation", "Resource": resources, "Condition": condition}
        for sid, resources, condition in (
            ("One", [here], {}),
            ("Both", [here, there], {}),
            ("Through", [here], {"StringEquals": {"kms:ViaService": "rds.eu-central-1.amazonaws.com"}}),
        )
    )
    found = Rendered(
        {"own": Policy("identity", document(one, both, through))}, {arn: Role(arn, "trust", ("own",), None)}
    )
    found.elsewhere.add((DEVELOPMENT.environment, there.replace("*", "1")))

    [fault] = regions.lacking(found)

    assert fault.startswith("One of own is not about")

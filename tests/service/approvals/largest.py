"""Write the largest approvals."""

from chalicelib.approvals.model import NewApproval, Withdrawal
from tests.service.deployments.records import an_artifact
from tests.support.largest import copy, largest


def write(given, many):
    approval = given.an_approval(an_artifact("approved"), comment=largest(NewApproval)["comment"])["id"]
    given.post(f"/v1/systems/azul/approvals/{approval}/withdraw", largest(Withdrawal))
    copy(given, "approvals", f"CROSS JOIN generate_series(1, {many}) WHERE t.id = {approval}")

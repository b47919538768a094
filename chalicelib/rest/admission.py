"""What has to be known before a request is let in, asked in one message.

Which systems a pipeline may write for, its publishers say; whether its Idempotency-Key was answered before, the stored
answers. Both are asked only where there is something to ask: most reads ask neither.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.identity.trust import TrustRule
from chalicelib.rest import idempotency

if TYPE_CHECKING:
    from chalicelib.rest.operation import Call


# SQL for one column, the trust rules for a pipeline's repository. app.py sets it: this package knows no resource.
publishers_column: str | None = None


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """`publishers` are those of the pipeline's repository, fitting or not; `stored` is the answer to repeat."""

    publishers: tuple[TrustRule, ...] = ()
    stored: idempotency.Stored | None = None


def ask(call: "Call", key: str | None) -> Admission:
    """What is known. With a key, others who use it wait from here on."""
    columns: list[str] = []
    parameters: dict[str, Any] = {"issuer": call.principal.issuer}
    if (pipeline := call.principal.pipeline) is not None:
        if publishers_column is None:
            raise LookupError("Hand over the SQL of the publishers at start, as app.py does: rest.admission has none")
        columns.append(f"{publishers_column} AS publishers")
        parameters["repository_id"] = pipeline.repository_id
        parameters["repository_owner_id"] = pipeline.repository_owner_id
    if key is not None:
        idempotency.lock(call, key)
        columns.append(f"{idempotency.STORED} AS stored")
        parameters |= idempotency.scope(call, key)
    if not columns:
        return Admission()
    row = call.db.row(f"SELECT {', '.join(columns)}", **parameters)
    return msgspec.convert(row, Admission)

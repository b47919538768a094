"""Write the largest holds. Released freezes and bad marks are not bounded in number."""

from chalicelib.holds.model import MOST_FREEZES, NewHold
from tests.support.given import ahead
from tests.support.largest import copy, largest


def write(given, many):
    # These freezes start late, so that they stop no other request.
    period = {"starts_at": ahead(days=400), "ends_at": ahead(days=500)}
    freeze = {"reason": largest(NewHold)["reason"], "recurrence": largest(NewHold)["recurrence"]}
    freeze |= {
        **period,
        "recurrence": {**freeze["recurrence"], "days": 6, "time_zone": "America/Argentina/Buenos_Aires"},
    }
    for number in range(min(many, MOST_FREEZES // 2)):
        hold = given.a_freeze("development" if number % 2 else None, **freeze)
        over = given.a_freeze_over_systems(**freeze, production=True)
    reason = {"reason": largest(NewHold)["reason"]}
    given.post(f"/v1/systems/azul/holds/{hold['id']}/release", reason)
    given.post(f"/v1/holds/{over['id']}/release", reason)
    rest = f"CROSS JOIN generate_series(1, {many}) WHERE t.id IN ({hold['id']}, {over['id']})"
    copy(given, "holds", rest)

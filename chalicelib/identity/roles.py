"""The roles of principals, from the lowest to the highest."""

import enum


class Role(enum.IntEnum):
    """Roles are cumulative: a role includes the lower ones. `anybody` is a caller with a valid token and no role."""

    anybody = 0
    viewer = 1
    pipeline = 2
    maintainer = 3
    admin = 4

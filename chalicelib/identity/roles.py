"""The roles of principals, from the lowest to the highest."""

import enum


class Role(enum.IntEnum):
    """Roles are cumulative: each includes the lower ones. `anybody` only has a valid token."""

    anybody = 0
    viewer = 1
    pipeline = 2
    maintainer = 3
    admin = 4

"""What principals may be allowed to do, in steps."""

import enum


class Role(enum.IntEnum):
    """Roles are cumulative: who may do more may do what others may. `anybody` has a valid token, and nothing more."""

    anybody = 0
    viewer = 1
    pipeline = 2
    maintainer = 3
    admin = 4

"""What principals may be allowed to do, in four steps."""

import enum


class Role(enum.IntEnum):
    """Roles are cumulative: who may do more may do what others may."""

    viewer = 1
    pipeline = 2
    maintainer = 3
    admin = 4

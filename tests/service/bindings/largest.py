"""Write the largest bindings: as many environments as an answer names use the same instances."""

from chalicelib.bindings.model import MOST_BINDINGS
from tests.support.largest import named


def write(given, many):
    bindings = [
        {
            "dependency": named("d", number),
            "instance": f"https://{'i' * 480}.{number:04}",
            "access": "read_write",
            "exclusive": False,
        }
        for number in range(MOST_BINDINGS)
    ]
    for number in range(min(many, MOST)):
        given.bindings(*bindings, environment=named("e", number))


# The instances in crosstalk.
MOST = MOST_BINDINGS

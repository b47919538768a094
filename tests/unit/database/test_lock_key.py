"""No caller finds another name for a lock."""

from chalicelib.database.connection import lock_key


def test_a_lock_has_a_number_of_64_bits_that_its_name_decides():
    numbers = {lock_key(f"system {number}") for number in range(1000)}

    assert len(numbers) == 1000
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert lock_key("holds") == lock_key("holds")

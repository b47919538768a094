"""The errors of PostgreSQL that the layers above handle."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import psycopg2.errors


class DatabaseUnavailable(Exception):
    """PostgreSQL can't be reached, or can't answer now. The caller may try again later."""

    is_without_data = True


class ConstraintViolated(Exception):
    """A constraint of the schema refused a write. `name` is the constraint's name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnusableValue(Exception):
    """A value passed validation, but PostgreSQL can't store it."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Convert psycopg2's errors to the errors of this module.

    Leave errors in the code, such as wrong SQL, unchanged.
    """
    try:
        yield
    except psycopg2.IntegrityError as error:
        raise ConstraintViolated(error.diag.constraint_name or "") from error
    except (
        psycopg2.errors.UndefinedTable,
        psycopg2.errors.UndefinedColumn,
        psycopg2.errors.InsufficientPrivilege,  # migrations grant rights: a missing right means an older schema
    ) as error:
        raise DatabaseUnavailable(
            f"The schema does not fit this code: {_said(error)}. Migrate the database, or deploy the code for its "
            "schema"
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction) as error:
        raise DatabaseUnavailable(_said(error)) from error
    except psycopg2.DataError as error:
        raise UnusableValue(f"{type(error).__name__} ({error.pgcode})") from error  # its message quotes the value
    except UnicodeEncodeError as error:
        raise UnusableValue("a text holds characters that have no UTF-8: remove them") from error
    except ValueError as error:
        if "NUL" in str(error):
            raise UnusableValue("a text holds a NUL character: remove the character") from error
        raise


def _said(error: psycopg2.Error) -> str:
    """Return the server's own sentence, or libpq's if no server answered.

    The whole text would quote the statement, and so the values in it.
    """
    return error.diag.message_primary or str(error).strip()

"""Read the secrets of dependencies. `settings().dependencies` says which external systems the environment uses."""

from functools import lru_cache

from chalicelib.settings import settings


class NoSecret(Exception):
    """This function may not read a secret of the dependency. The message says what to declare."""


def read_secret(dependency: str) -> str:
    """Return the value of a dependency's secret. It is kept in memory only: never log it or send it to a caller.

    A function keeps the value as long as it lives. After a rotation of the secret, deploy again.
    """
    declared = settings().dependencies.get(dependency)
    if declared is None or declared.secret is None:
        raise NoSecret(
            f"This function has no secret of the dependency {dependency!r}: in infra/<environment>/main.tf, give the "
            "dependency a `secret` whose `functions` name this function. A workspace has no secrets."
        )
    return _value(declared.secret)


@lru_cache
def _value(name: str) -> str:
    # Lambda's runtime has boto3. Its import takes longer than a request, so only functions with a secret import it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    quickly = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    value: str = boto3.client("secretsmanager", config=quickly).get_secret_value(SecretId=name)["SecretString"]
    return value

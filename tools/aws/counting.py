"""Count in CloudWatch that a job ended well. An alarm begins if a job stops counting (infra/modules/monitoring)."""

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME
from tools.aws import environment
from tools.aws.target import Target
from tools.local import emulation
from tools.slipway_client.runner import say, warn

# The metrics of the tools, with their dimensions. The functions have others: chalicelib/telemetry.
METRICS = {
    "verifications": ("environment",),
    "reaps": ("environment", "purpose"),
    "orphans": ("environment", "purpose"),
}


def count(environ: Mapping[str, str], own: Target, values: Mapping[str, int], **more: str) -> None:
    """Add values of metrics of an environment; `more` has further dimensions. Warn if AWS does not take them.

    A job that did its work must not fail because nobody counts it: the alarm says so.
    """
    dimensions = {"environment": own.environment, **more}
    region = emulation.REGION if own.emulated is not None else own.variables["region"]
    try:
        own.client("cloudwatch", region).put_metric_data(
            Namespace=NAME,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": each, "Value": dimensions[each]} for each in METRICS[name]],
                    "Unit": "Count",
                    "Value": value,
                }
                for name, value in values.items()
            ],
        )
    except (BotoCoreError, ClientError) as error:
        warn(environ, f"This run is not counted: {error}. Run make account, to update the roles")


def verification(environ: Mapping[str, str]) -> None:
    """Count that the acceptance tests have passed in an environment."""
    own = environment.target_of({**environ, "WORKSPACE": "default"})
    count(environ, own, {"verifications": 1})
    say(f"The verification of {own.environment} is counted")

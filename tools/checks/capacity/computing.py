"""Compute what an environment can bear, from the measured cost of a request, its settings, and figures of AWS."""

import json
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.checkout import ROOT, ToolError
from tools.checks import costs
from tools.checks.capacity.measuring import Cost, Measured

RATES = (10, 100, 1000)

# Figures that AWS publishes.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEGABYTES_OF_A_VCPU = 1769
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONCURRENCY_OF_AN_ACCOUNT = 1000
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
REQUESTS_OF_AN_ACCOUNT = 10_000
# An ACU has about 2 GiB of memory "and corresponding CPU". AWS does not say how much. This is the share that
# db.r6g.large has for the same memory: 2 vCPU for 16 GiB.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Summary.html
VCPUS_OF_AN_ACU = 2 / (16 / 2)

# Assumptions, which a load test on AWS replaces by figures.
NETWORK_MILLISECONDS = 1.0  # from a function to the database and back
LEAST_ACUS = 0.5

_MINUTES = 5


class Settings(NamedTuple):
    """The settings in an environment's main.tf."""

    name: str
    least_acus: float
    most_acus: float
    instances: int
    reserved_concurrency: int | None
    per_second: int  # to one method

    @property
    def connections(self) -> int:
        """The connections that the database accepts, as infra/modules/infrastructure-main/limits.tf computes them."""
        accepted = math.floor(self.most_acus * 2 * 1024**3 / 9531392 * 0.8)
        return min(accepted, 2000 if self.least_acus < 1 else 5000)

    @property
    def concurrency(self) -> int:
        return self.reserved_concurrency or CONCURRENCY_OF_AN_ACCOUNT


class Limit(NamedTuple):
    """The rate of requests in a second at which something ends, and what ends."""

    per_second: float
    what: str


class Need(NamedTuple):
    """The needs of a rate of requests, and the cost of a million requests at this rate."""

    per_second: int
    executions: float  # at the same time, each with a connection to the database
    acus: float
    dollars: float


def settings(environment: str) -> Settings:
    """Read an environment's main.tf. Raise ToolError if it lacks a setting."""
    text = (ROOT / "infra" / environment / "main.tf").read_text()

    def value(pattern: str) -> str:
        found = re.search(rf"\b{pattern}\b", text)
        if found is None:
            raise ToolError(f"infra/{environment}/main.tf has no {pattern!r}: change tools/checks/capacity with it")
        return found[1]

    reserved = value(r"reserved_concurrency\s+= (\d+|null)")
    return Settings(
        environment,
        float(value(r"min_capacity\s+= ([\d.]+)")),
        float(value(r"max_capacity\s+= ([\d.]+)")),
        int(value(r"instances\s+= (\d+)")),
        None if reserved == "null" else int(reserved),
        int(value(r"throttling\s+= { rate = (\d+)")),
    )


def memory_megabytes() -> int:
    """Return the memory of the API's function."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return int(config["lambda_memory_size"])


def requests_of_an_address() -> int:
    """Return how many requests of one address the firewall lets through in five minutes."""
    text = (ROOT / "infra" / "modules" / "firewall" / "variables.tf").read_text()
    [limit] = re.findall(r'variable "rate_limit" {[^}]*default\s+= (\d+)', text)
    return int(limit)


def milliseconds_on_aws(cost: Cost) -> float:
    """Return how long a warm function takes for a request.

    Its processor time grows, because the function has less than a vCPU. Each round trip pays the network.
    """
    share = min(1.0, memory_megabytes() / MEGABYTES_OF_A_VCPU)
    return cost.function / share + (cost.took - cost.function) + cost.trips * NETWORK_MILLISECONDS


def per_execution(cost: Cost) -> float:
    """Return the requests that one concurrent execution answers in a second, one after another."""
    return 1000 / milliseconds_on_aws(cost)


def per_acu(cost: Cost) -> float:
    """Return the requests whose statements one unit of the database's capacity runs in a second."""
    return 1000 / cost.postgres * VCPUS_OF_AN_ACU


def limits(of: Settings, measured: Measured) -> Iterator[Limit]:
    """Yield the limits of an environment, in no order. A client's own limit is not among them."""
    most = max(each.share / each.requests for each in measured.costs)
    yield Limit(of.per_second / most, f"throttling of one method: {of.per_second} a second (`throttling`)")
    concurrency = "reserved_concurrency" if of.reserved_concurrency else "the account's quota"
    yield Limit(
        of.concurrency * per_execution(measured.mean), f"{of.concurrency:,} concurrent executions ({concurrency})"
    )
    yield Limit(of.connections * per_execution(measured.mean), f"{of.connections:,} connections to the database")
    yield Limit(of.most_acus * per_acu(measured.mean), f"{of.most_acus:g} ACUs (`max_capacity`)")
    yield Limit(REQUESTS_OF_AN_ACCOUNT, f"API Gateway: {REQUESTS_OF_AN_ACCOUNT:,} requests a second in an account")


def needs(of: Settings, measured: Measured) -> Iterator[Need]:
    """Yield what the environment needs at each of RATES."""
    mean = measured.mean
    for per_second in RATES:
        acus = max(LEAST_ACUS, of.least_acus, per_second / per_acu(mean))
        hours = 1_000_000 / per_second / 3600
        database = hours * acus * of.instances * costs.ACU_HOUR
        yield Need(per_second, per_second / per_execution(mean), acus, dollars_a_million(mean, per_second) + database)


def dollars_a_million(cost: Cost, per_second: float) -> float:
    """Return what AWS takes for a million requests at a rate, without the database's capacity."""
    gigabyte_seconds = 1000 * milliseconds_on_aws(cost) * memory_megabytes() / 1024
    gigabytes = cost.kilobytes  # a million answers of a kilobyte are a gigabyte
    traced = (1 + 0.05 * (per_second - 1)) / per_second  # one request a second, and 5 % of the others
    return (
        costs.API_MILLION
        + costs.FUNCTION_MILLION
        + gigabyte_seconds * costs.FUNCTION_GIGABYTE_SECOND
        + 2 * costs.FIREWALL_MILLION  # in front of the site and of the API
        + costs.CDN_MILLION
        + gigabytes * costs.CDN_GIGABYTE
        + costs.KILOBYTES_OF_LOG * costs.LOG_GIGABYTE
        + costs.READS_AND_WRITES * costs.READ_OR_WRITE_MILLION
        + traced * costs.TRACE_MILLION
    )


def kept_by_an_address() -> float:
    """Return the requests a second that one address may send."""
    return requests_of_an_address() / (_MINUTES * 60)

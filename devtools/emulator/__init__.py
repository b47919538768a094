"""An AWS account on this machine: moto's, with the gaps filled that this infrastructure would fall into."""

HOST = "127.0.0.1"
PORT = 4566  # where LocalStack listens too, and chalice-local looks
REGION = "eu-central-1"
ACCOUNT = "123456789012"
STATE_BUCKET = f"slipway-terraform-state-{ACCOUNT}"


def environment(port: int = PORT, region: str = REGION) -> dict[str, str]:
    """With what AWS's SDKs, its command line and Terraform speak to the emulated account, and to no other."""
    url = f"http://{HOST}:{port}"
    return {
        "AWS_ENDPOINT_URL": url,
        # Terraform's backend does not read the general variable.
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "emulated",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A profile would bring credentials of a real account along.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        # No virtual hosts for buckets: no resolver knows them.
        "AWS_S3_USE_PATH_STYLE": "true",
    }

"""A stand-in for the AWS CLI that runs the commands of the docs, with the parameters that botocore knows.

For example: aws cognito-idp list-user-pools --max-results 60 --query 'UserPools[].Id' --output text
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore import xform_name


def install(folder: Path, root: Path) -> None:
    """Write the program `aws` into a folder. The caller puts the folder on the PATH."""
    script = folder / "aws"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m tests.support.aws_cli "$@"\n')
    script.chmod(0o755)


def main(arguments: list[str]) -> str:
    service, operation, *options = arguments
    client = boto3.client(service)
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    members = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in model.input_shape.members.items()}
    query, output, parameters = None, "json", {}
    for option, values in _options(options):
        if option == "--query":
            query = values[0]
        elif option == "--output":
            output = values[0]
        elif option in members:
            name, shape = members[option]
            parameters[name] = _value(shape, values)
        else:
            raise SystemExit(f"aws {service} {operation} has no option {option}: correct the command")
    answer = getattr(client, method)(**parameters)
    answer.pop("ResponseMetadata")
    found = answer if query is None else jmespath.search(query, answer)
    if output != "text":
        return json.dumps(found, indent=4, default=str)
    return "\t".join(found) if isinstance(found, list) else str(found)


def _options(arguments: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for argument in arguments:
        if argument.startswith("--"):
            found.append((argument, []))
        else:
            found[-1][1].append(argument)
    return found


def _value(shape: Any, values: list[str]) -> Any:
    if shape.type_name == "list":
        return [_value(shape.member, [value]) for value in values]
    if shape.type_name == "structure":
        return dict(pair.split("=", 1) for pair in values[0].split(","))
    return int(values[0]) if shape.type_name == "integer" else values[0]


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")

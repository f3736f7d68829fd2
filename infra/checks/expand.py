"""Expands SAM templates to CloudFormation as JSON, as AWS does when it creates a stack.

usage: expand.py BUCKET FOLDER [NAME=VALUE...] -- TEMPLATE...

Each template becomes FOLDER/STEM.json. Local paths become keys in BUCKET. SAM reads some parameters itself; NAME=VALUE sets them.
Templates that cannot be expanded are reported on stdout, with one line `STEM: MESSAGE` each.
"""

import json
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks for one, and calls nothing

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PATHS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class NoManagedPolicies:
    """The template names managed policies by their ARNs, so no lookup is needed."""

    def load(self):
        return {}


def packaged(template, bucket):
    """Does what `sam package` does: refers to code in S3 instead of local paths."""
    for resource in template["Resources"].values():
        name = PATHS.get(resource.get("Type"))
        if name and isinstance(resource["Properties"].get(name), str):
            key = "/".join(Path(resource["Properties"][name]).parts[-2:])  # ARCHITECTURE/FILE
            resource["Properties"][name] = {"Bucket": bucket, "Key": key}
    return template


def main(arguments):
    split = arguments.index("--")
    (bucket, folder, *settings), templates = arguments[:split], arguments[split + 1 :]
    parameters = dict(setting.split("=", 1) for setting in settings)
    for path in map(Path, templates):
        try:
            template = packaged(yaml_parse(path.read_text()), bucket)
            expanded = transform(template, dict(parameters), NoManagedPolicies())
        except InvalidDocumentException as error:
            causes = "; ".join(cause.message for cause in error.causes)
            print(f"{path.stem}: {causes}")
            continue
        except Exception as error:  # whatever else a bad template does to the translator
            print(f"{path.stem}: {type(error).__name__}: {error}")
            continue
        text = json.dumps(expanded, indent=1, sort_keys=True)
        (Path(folder) / f"{path.stem}.json").write_text(text + "\n")


logging.disable(logging.WARNING)  # its feature toggles
main(sys.argv[1:])

"""Creates, changes and deletes the stack of `infra/template.yaml` as CloudFormation does."""

import json
import shutil
import time
from pathlib import Path

PACKAGES = "packages"  # the bucket that the expanded template takes its packages from
SECONDS_MAX = 300
ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


class Stack:
    """A stack by name."""

    def __init__(self, emulator, name, template, packages):
        self.emulator = emulator
        self.name = name
        self.packages = Path(packages)
        self.cloudformation = emulator.client("cloudformation")
        self.template = adapted(json.loads(Path(template).read_text()), self.packages, emulator.folder)
        self.upload()

    def renamed_version(self, suffix):
        """The template as SAM expands it for another `Release`: the version of the function has another name."""
        text = json.dumps(self.template)
        version = next(name for name, resource in self.template["Resources"].items() if resource["Type"] == "AWS::Lambda::Version")
        return json.loads(text.replace(version, version[:-10] + suffix))

    def upload(self):
        """What `sam deploy` does with local paths."""
        s3 = self.emulator.client("s3")
        s3.create_bucket(Bucket=PACKAGES)
        for key in sorted(package_keys(self.template)):
            s3.put_object(Bucket=PACKAGES, Key=key, Body=(self.packages / key).read_bytes())

    def create(self, **parameters):
        self.cloudformation.create_stack(
            StackName=self.name, TemplateBody=json.dumps(self.template), Parameters=listed(parameters), Capabilities=["CAPABILITY_IAM"]
        )
        self.wait("CREATE_COMPLETE")

    def update(self, **parameters):
        self.cloudformation.update_stack(
            StackName=self.name, TemplateBody=json.dumps(self.template), Parameters=listed(parameters), Capabilities=["CAPABILITY_IAM"]
        )
        self.wait("UPDATE_COMPLETE")

    def delete(self):
        stack = self.describe()["StackId"]
        self.cloudformation.delete_stack(StackName=self.name)
        self.wait("DELETE_COMPLETE", stack)

    def describe(self, stack=None):
        return self.cloudformation.describe_stacks(StackName=stack or self.name)["Stacks"][0]

    def outputs(self):
        return {output["OutputKey"]: output["OutputValue"] for output in self.describe()["Outputs"]}

    def resources(self):
        """Physical by logical names."""
        listed = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}

    def wait(self, wanted, stack=None):
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            status = self.describe(stack)["StackStatus"]
            if status == wanted:
                return
            if status.endswith(("FAILED", "ROLLBACK_COMPLETE")):
                events = self.cloudformation.describe_stack_events(StackName=stack or self.name)["StackEvents"]
                reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events if "FAILED" in event["ResourceStatus"]]
                raise RuntimeError(f"the stack is {status}: " + "; ".join(reasons))
            time.sleep(0.2)
        raise RuntimeError(f"the stack is not {wanted} after {SECONDS_MAX} s")


def adapted(template, packages, folder):
    """The template without what the emulator does not support, which only `cargo xtask infra` checks."""
    resources = template["Resources"].values()
    layers = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Lambda::LayerVersion"]
    for layer in layers:
        shutil.unpack_archive(packages / layer["Content"]["S3Key"], folder / "opt", "zip")
    for resource in resources:
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            # Layers are not unpacked for native programs.
            variables = properties["Environment"]["Variables"]
            variables["TENON_GUEST"] = variables["TENON_GUEST"].replace("/opt", str(folder / "opt"), 1)
        if resource["Type"] == "AWS::ApiGateway::RestApi":
            for operations in properties["Body"]["paths"].values():
                # An operation for any method is not imported.
                of_any = operations.pop(ANY_METHOD, None)
                for method in METHODS if of_any else ():
                    operations.setdefault(method, of_any)
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            # Sums of metrics are not supported: the alarm watches the first of them.
            first = next(metric["MetricStat"] for metric in properties.pop("Metrics") if "MetricStat" in metric)
            properties.update(first["Metric"], Period=first["Period"], Statistic=first["Stat"])
    return template


def package_keys(template):
    for resource in template["Resources"].values():
        for place in ("Code", "Content"):
            location = resource.get("Properties", {}).get(place)
            if isinstance(location, dict) and "S3Key" in location:
                yield location["S3Key"]


def listed(parameters):
    return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in parameters.items()]

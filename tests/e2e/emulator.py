"""ministack: API Gateway, Lambda, DynamoDB, S3, IAM, CloudFormation and CloudWatch in one process, on loopback only, permissions enforced."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import botocore.config
import botocore.session

REGION = "us-east-1"
ACCOUNT = "000000000000"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 10


class Emulator:
    """A running ministack with its own folder; ended on exit."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log = open(self.folder / "log", "wb")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1",  # its default is every interface
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",  # listens on every interface
            "AUTH": "true",
            "AWS_ENDPOINT_URL": self.url,  # where functions call to
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        program = Path(sys.executable).with_name("ministack")
        # A separate session, so that the functions that it starts end with it.
        self.process = subprocess.Popen(
            [program], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the emulator ended with {self.process.returncode}: see {self.log.name}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the emulator does not answer: see {self.log.name}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()

    def client(self, service, credentials=("test", "test", None)):
        """A client for a service, as the account's root unless other credentials are given."""
        key, secret, token = credentials
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=120),
        )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

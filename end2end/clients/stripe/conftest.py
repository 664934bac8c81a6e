"""A sandbox of one's own, as the server's `sandbox` command starts it."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

BINARY = os.environ.get("TOLLGATE_BINARY") or str(Path(__file__).parents[3] / "target/debug/tollgate")


@pytest.fixture(scope="module")
def sandbox():
    """Its address."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "SANDBOX_ADDR": "127.0.0.1:0"}
        server = subprocess.Popen(
            [BINARY, "sandbox"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            for line in server.stdout:
                if address := re.match(r"Stripe sandbox on (http://\S+)", line):
                    yield address[1]
                    break
            else:
                pytest.fail(f"the sandbox ended with {server.wait()} before it listened")
        finally:
            server.terminate()
            server.wait()

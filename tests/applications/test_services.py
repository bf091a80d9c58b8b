"""Distributed services: Celery with Redis, JupyterLab with a kernel, OpenTelemetry's plugins."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.applications.application import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.applications.conftest import Assemble

pytestmark = pytest.mark.long

QUEUE = {
    "jobs/__init__.py": "",
    "jobs/tasks.py": """
from celery import Celery

REDIS = "/tmp/redis/redis.sock"
app = Celery("jobs", broker=f"redis+socket://{REDIS}", backend=f"redis+socket://{REDIS}")


@app.task
def add(x, y):
    return x + y


def worker():
    app.worker_main()


def ask():
    print(add.delay(2, 3).get(timeout=60))
    print([each.get(timeout=60) for each in [add.delay(1, 1), add.s(2, 2).apply_async()]])
""",
}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Path]:
    """A directory in which Redis listens at `redis.sock`."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    directory = tmp_path / "redis"
    directory.mkdir()
    options = [
        "--port",
        "0",
        "--unixsocket",
        str(directory / "redis.sock"),
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        yield directory
        server.terminate()


def test_celery_executes_tasks(assemble: Assemble, redis: Path) -> None:
    jobs = assemble(
        "jobs",
        dependencies=["celery[redis]"],
        scripts={"worker": "jobs.tasks:worker", "ask": "jobs.tasks:ask"},
        files=QUEUE,
        options='applications = { jobs = { start = "jobs.tasks:worker" } }',
    )
    for pool in ("prefork", "threads", "solo"):
        told = jobs.shell(
            'cd /tmp; "$release" run celery -A jobs.tasks worker --concurrency 2 '
            f"--pool {pool} --loglevel INFO >/tmp/worker.txt 2>&1 & worker=$!;"
            '"$release" run ask || { cat /tmp/worker.txt; exit 1; }; kill $worker; wait $worker || :;'
            "cat /tmp/worker.txt",
            *("--bind", str(redis), "/tmp/redis"),  # noqa: S108 - in the bare root
        )
        assert told.startswith("5\n[2, 4]\n"), told
        assert told.count("succeeded in") == 3


def test_celery_detaches_and_answers(assemble: Assemble, redis: Path) -> None:
    jobs = assemble("jobs", dependencies=["celery[redis]"], scripts={"jobs": "jobs.tasks:ask"}, files=QUEUE)
    # It starts `sys.executable -m celery` by itself.
    told = jobs.shell(
        'cd /tmp; "$release" run celery -A jobs.tasks worker --detach -c 1 -f /tmp/log.txt --pidfile /tmp/pid.txt;'
        '"$release" start; "$release" run celery -A jobs.tasks inspect ping; kill $(cat /tmp/pid.txt)',
        *("--bind", str(redis), "/tmp/redis"),  # noqa: S108 - in the bare root
    )
    assert told.startswith("5\n[2, 4]\n")
    assert "pong" in told


def test_jupyterlab_serves_and_runs_a_kernel(assemble: Assemble) -> None:
    lab = assemble("lab", dependencies=["jupyterlab"], scripts={"lab": "jupyterlab.labapp:main"})
    status, page, kernels, kernel = lab.serve(
        f"start --allow-root --no-browser --ServerApp.port={PORT} --ServerApp.token= --ServerApp.ip=127.0.0.1",
        *(
            "/api/status",
            "/lab",
            "/api/kernelspecs",
            "/lab/api/settings/@jupyterlab/apputils-extension:themes",
        ),
    )
    assert json.loads(status)["kernels"] == 0
    assert "<title>JupyterLab</title>" in page
    assert json.loads(kernels)["default"] == "python3"
    assert json.loads(kernel)["id"]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": "one",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": "import sys; print(6 * 7)",
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    told = lab.shell(
        f"echo '{json.dumps(notebook)}' >/tmp/one.ipynb; cd /tmp;"
        '"$release" run jupyter-nbconvert --to markdown --execute --stdout one.ipynb 2>/tmp/log.txt'
        " || { cat /tmp/log.txt >&2; exit 1; }"
    )
    assert "    42" in told


SPAN = """
import os

from opentelemetry import propagate, trace
from opentelemetry.sdk._configuration import _OTelSDKConfigurator


def main():
    _OTelSDKConfigurator().configure()
    tracer = trace.get_tracer("span")
    with tracer.start_as_current_span("tea") as span:
        span.set_attribute("cups", 3)
        carrier = {}
        propagate.inject(carrier)
        print(sorted(carrier))
    print(type(trace.get_tracer_provider()).__name__)
    print(type(propagate.get_global_textmap()).__name__)
    trace.get_tracer_provider().force_flush()


def again():
    with trace.get_tracer("span").start_as_current_span("tea"):
        pass
    trace.get_tracer_provider().force_flush()
"""


def test_opentelemetry_finds_its_plugins(assemble: Assemble) -> None:
    span = assemble(
        "span",
        dependencies=[
            "opentelemetry-sdk",
            "opentelemetry-exporter-otlp",
            "opentelemetry-propagator-b3",
            "opentelemetry-distro",
        ],
        scripts={"span": "span:main"},
        files={"span/__init__.py": SPAN},
    )
    told = span.shell(
        "export OTEL_TRACES_EXPORTER=console OTEL_PROPAGATORS=tracecontext,baggage,b3multi"
        ' OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none; "$release" start'
    )
    assert told.startswith("['traceparent', 'x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid']\nTracerProvider\n")
    assert '"cups": 3' in told
    # The tool gets into a child by a sitecustomize of its own on PYTHONPATH.
    told = span.shell(
        "export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none;"
        'for python in "${release%/bin/*}"/python-*/bin/python3; do'
        ' "$release" run opentelemetry-instrument "$python" -c "import span; span.again()"; done'
    )
    assert "telemetry.auto.version" in told
    # The exporter of this name is made of protobuf's and gRPC's parts; nobody listens, which it says at the end.
    assert "TracerProvider" in span.shell(
        "export OTEL_TRACES_EXPORTER=otlp_proto_http OTEL_EXPORTER_OTLP_TIMEOUT=1; "
        'OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none "$release" start'
    )

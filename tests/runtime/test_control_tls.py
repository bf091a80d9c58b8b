"""RELEASE_DISTRIBUTION=name: TCP, with TLS 1.3 by certificates or by a key made of the cookie, and never without."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters
from tests.runtime.nodes import wait_for
from tests.runtime.systems import SERVER, System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runtime.probe import Probe

COOKIE = "a cookie that is long enough"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca`, `mine` and `theirs` of one authority, `foreign` of another."""
    program = shutil.which("openssl")
    if not program:
        pytest.skip("openssl is not installed")
    directory = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run([program, *words], cwd=directory, check=True, capture_output=True)

    for authority, names in {"ca": ["mine", "theirs"], "other-ca": ["foreign"]}.items():
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        openssl(*new, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-subj", f"/CN={authority}")
        for name in names:
            request = [
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                f"/CN={name}",
            ]
            openssl(*request, "-keyout", f"{name}.key", "-out", f"{name}.csr")
            signer = [
                "-CA",
                f"{authority}.pem",
                "-CAkey",
                f"{authority}.key",
                "-CAcreateserial",
                "-days",
                "2",
            ]
            openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-out", f"{name}.pem")
    return directory


def by_certificate(directory: Path, name: str, authority: str = "ca") -> dict[str, str]:
    """The variables that name a certificate."""
    return {
        "RELEASE_TLS_CERTFILE": str(directory / f"{name}.pem"),
        "RELEASE_TLS_KEYFILE": str(directory / f"{name}.key"),
        "RELEASE_TLS_CAFILE": str(directory / f"{authority}.pem"),
    }


def over_tcp(system: System, **variables: str) -> System:
    """The same system, reached over TCP."""
    system.variables |= {"RELEASE_DISTRIBUTION": "name", "RELEASE_COOKIE": COOKIE, **variables}
    return system


def port_of(system: System, name: str = "probe") -> int:
    """Where a system listens."""
    return int((system.directory / "tmp" / "control" / f"{name}.port").read_text())


def works(system: System) -> None:
    """Use every kind of request, with much data both ways."""
    assert system.run("pid").stdout == f"{system.pid}\n"
    data = "0123456789" * 50_000
    done = system.rpc(
        "import sys; text = sys.stdin.read(); print(len(text)); print('x' * 300000)", stdin=data
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "500000\n" + "x" * 300_000 + "\n"
    calls = [system.popen("rpc", f"import time; time.sleep(.1); print({number})") for number in range(6)]
    assert [call.communicate(timeout=60)[0] for call in calls] == [f"{number}\n" for number in range(6)]
    done = system.run("restart")
    assert (done.returncode, done.stderr) == (0, "")
    assert system.run("pid").stdout == f"{system.pid}\n"
    assert (system.run("stop").returncode, system.end(), system.errors) == (0, 0, "")
    assert system.run("pid").returncode == 1


def test_by_certificates(system: System, certificates: Path) -> None:
    works(over_tcp(system, **by_certificate(certificates, "mine")).start(SERVER))


def test_by_a_key_or_not_at_all(system: System, each_probe: Probe) -> None:
    over_tcp(system)
    if int(each_probe.minor.partition(".")[2]) >= 13:
        works(system.start(SERVER))
        return
    done = system.run("start")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR: RELEASE_DISTRIBUTION=name needs certificates: set RELEASE_TLS_CERTFILE, RELEASE_TLS_KEYFILE and "
        "RELEASE_TLS_CAFILE (from Python 3.13 on, a key made of the cookie will do)\n"
    )


def test_at_an_address_of_its_own(one: System, certificates: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        over_tcp(one, RELEASE_NODE=f"shop@127.0.0.1:{port}", **by_certificate(certificates, "mine"))
        done = one.run("start")
        assert done.returncode == 1
        assert done.stderr.startswith(
            f"ERROR: cannot listen at 127.0.0.1, port {port} (Address already in use): "
        )
    one.start(SERVER)
    # From anywhere: nothing but the address, the cookie and a certificate is known there.
    elsewhere = System(one.launcher, one.directory / "elsewhere", dict(one.variables))
    elsewhere.variables |= by_certificate(certificates, "theirs")
    assert elsewhere.run("pid").stdout == f"{one.pid}\n"
    done = one.run("start")
    assert done.stderr.startswith(
        f"ERROR: the node name shop@127.0.0.1:{port} is in use by process {one.pid}: "
    )


@pytest.mark.parametrize("node", ["shop@host:port", "shop@host:99999"])
def test_an_address_that_is_none(one: System, node: str) -> None:
    done = over_tcp(one, RELEASE_NODE=node).run("start")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith("is no port: set it to NAME@HOST:PORT\n")


def test_certificates_that_are_not_there(one: System, certificates: Path) -> None:
    over_tcp(one, RELEASE_TLS_CERTFILE=str(certificates / "mine.pem"))
    assert one.run("start").stderr.startswith("ERROR: RELEASE_TLS_CAFILE is not set: ")
    one.variables["RELEASE_TLS_CAFILE"] = str(certificates / "no.pem")
    for key in ("mine.key", "theirs.key"):
        done = one.run("start", variables={"RELEASE_TLS_KEYFILE": str(certificates / key)})
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("ERROR: cannot use ")


def test_peers_that_may_not(one: System, certificates: Path) -> None:
    over_tcp(one, **by_certificate(certificates, "mine")).start(SERVER)
    foreign = one.run("pid", variables=by_certificate(certificates, "foreign"))
    assert (foreign.returncode, foreign.stderr.count("\n")) == (1, 1)
    # It trusts the node, but is not trusted itself; and the other way round.
    assert one.run("pid", variables=by_certificate(certificates, "foreign", "other-ca")).returncode == 1
    wrong = one.run("pid", variables={"RELEASE_COOKIE": "another cookie of some length"})
    assert wrong.stderr == (
        "ERROR: the system probe has another cookie: set RELEASE_COOKIE to the one that it was started with\n"
    )
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with pytest.raises(OSError, match=r".*"):
            shake(port_of(one), version)
    with socket.create_connection(("127.0.0.1", port_of(one)), 10) as plain:
        plain.sendall(b'\x00\x00\x00\x10{"hello": 1}')
        plain.settimeout(30)
        assert b"nonce" not in drain(plain)
    wait_for(
        lambda: one.errors.count("refused a control connection of 127.0.0.1, port ") >= 4, lambda: one.errors
    )
    assert one.run("pid").stdout == f"{one.pid}\n"


def shake(port: int, version: ssl.TLSVersion) -> None:
    """A TLS client without a certificate, which greets as a command does."""
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), 30) as plain,
        context.wrap_socket(plain) as channel,
    ):
        channel.sendall(b'\x00\x00\x00\x0c{"hello": 1}')
        if not channel.recv(100):
            raise ConnectionError


def drain(channel: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while data := channel.recv(1 << 16):
            found += data
    except ConnectionError:
        pass
    return found


@pytest.fixture
def keyed(probes: dict[str, Probe], tmp_path: Path) -> Iterator[System]:
    """A system with a pre-shared key, which takes Python 3.13."""
    if "3.13" not in interpreters.available():
        pytest.skip("there is no Python 3.13")
    made = System(probes["3.13"].launcher, tmp_path)
    yield over_tcp(made)
    made.kill()


def test_a_key_of_another_cookie(keyed: System) -> None:
    keyed.start(SERVER)
    done = keyed.run("pid", variables={"RELEASE_COOKIE": "another cookie of some length"})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("ERROR: TLS with the system probe was not agreed on (")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with pytest.raises(OSError, match=r".*"):
            shake(port_of(keyed), version)
    wait_for(lambda: keyed.errors.count("TLS was not agreed on") >= 3, lambda: keyed.errors)
    assert keyed.run("pid").stdout == f"{keyed.pid}\n"


def test_a_cookie_that_can_be_guessed(keyed: System) -> None:
    done = keyed.run("start", variables={"RELEASE_COOKIE": "short"})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("ERROR: the cookie is too short for RELEASE_DISTRIBUTION=name: ")


def test_a_node_that_answers_the_key_with_a_certificate(keyed: System, certificates: Path) -> None:
    # In TLS 1.3 a key is only offered: who stands in between may ignore it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "mine.pem", certificates / "mine.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def serve() -> None:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as channel:
                    heard.append(channel.recv(1000))
            except OSError:
                heard.append(b"")

        thread = threading.Thread(target=serve)
        thread.start()
        done = keyed.run("pid", variables={"RELEASE_NODE": f"probe@127.0.0.1:{listener.getsockname()[1]}"})
        thread.join(30)
    assert (done.returncode, heard) == (1, [b""])
    assert done.stderr.startswith("ERROR: TLS with the system probe@127.0.0.1:")

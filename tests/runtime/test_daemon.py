"""`daemon`: a system in the background, on every Python."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.daemons import WAITS, Daemon
from tests.runtime.nodes import alive, wait_for

if TYPE_CHECKING:
    from tests.runtime.daemons import MakeDaemon
    from tests.runtime.probe import Probe


def test_it_runs_in_the_background_until_it_is_stopped(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(WAITS, each_probe).start("two", "words")
    keeper, system = daemon.holder()
    assert alive(keeper)
    assert alive(system)
    assert "here I am two words\n" in daemon.log()
    assert daemon.run("logs").stdout == daemon.log()
    assert daemon.run("logs", "-n", "1").stdout == "here I am two words\n"
    daemon.stop()
    assert daemon.log().splitlines()[-1].endswith("the system was ended by SIGTERM")


def test_nothing_is_left_of_where_it_was_started(make: MakeDaemon, tmp_path: Path) -> None:
    program = """
    import os, sys, time
    def main():
        print("cwd", os.getcwd())
        print("umask", oct(os.umask(0)))
        print("streams", [stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)])
        print("session", os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid())
        try:
            os.open("/dev/tty", os.O_RDWR)
        except OSError:
            print("no terminal")
        names = {int(name): os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}
        own = ("socket:", ".lock")  # the control endpoint's
        print("open", sorted(name for name, what in names.items() if not any(each in what for each in own))[:-1])
        sys.stdout.flush()
        time.sleep(60)
    """
    daemon = make(program)
    with (tmp_path / "inherited").open("w") as inherited:
        command = [
            "/bin/sh",
            "-c",
            'umask 0; cd "$1"; exec "$2" daemon',
            "sh",
            str(tmp_path),
            str(daemon.launcher),
        ]
        subprocess.run(command, check=True, env=daemon.environment(), pass_fds=[inherited.fileno()])
    log = daemon.log()
    assert f"cwd {tmp_path}\numask 0o2\nstreams [True, True, True]\nsession True True\nno terminal\n" in log
    assert "open [0, 1, 2]\n" in log
    keeper = Path(f"/proc/{daemon.keeper}")
    assert (keeper / "cwd").readlink() == Path("/")
    assert str(tmp_path / "inherited") not in {str(each.readlink()) for each in (keeper / "fd").iterdir()}
    assert [str((keeper / "fd" / number).readlink()) for number in "012"] == ["/dev/null"] * 3
    fields = (keeper / "stat").read_text().rpartition(")")[2].split()
    assert fields[4] == "0", "it has a terminal"
    assert fields[3] != str(daemon.keeper), "it could get a terminal"


def test_files_are_their_owners_alone(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    for path in (daemon.tmp, *daemon.tmp.rglob("*")):
        mode = path.lstat().st_mode
        assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), path


def test_secrets_are_nowhere(make: MakeDaemon) -> None:
    daemon = make(WAITS, RELEASE_COOKIE="verysecret").start()
    cookie = (daemon.launcher.parents[1] / "releases" / "COOKIE").read_text()
    told = daemon.log()
    for pid in daemon.holder():
        told += Path(f"/proc/{pid}/cmdline").read_text()
    assert "verysecret" not in told
    assert cookie not in told


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("def main(): raise ValueError('it is broken')", "1", "ValueError: it is broken"),
        ("import sys\ndef main(): sys.exit('no configuration')", "1", "no configuration"),
        ("import os\ndef main(): os._exit(7)", "7", ""),
        ("import no_such_module", "1", "No module named 'no_such_module'"),
    ],
)
def test_what_keeps_it_from_starting_is_told(make: MakeDaemon, program: str, code: str, words: str) -> None:
    daemon = make(program)
    done = daemon.run("daemon")
    assert (done.returncode, done.stdout) == (1, "")
    *output, last = done.stderr.splitlines()
    assert (
        last == f"ERROR: probe did not start: it ended with exit code {code}; its log is in {daemon.tmp}/log"
    )
    assert words in "\n".join(output)
    assert not (daemon.tmp / "pipe").exists()
    assert f"ended with exit code {code} before it had started" in daemon.log()


def test_a_program_that_is_soon_done_has_started(make: MakeDaemon) -> None:
    daemon = make("def main(): print('done')").start()
    wait_for(lambda: not daemon.holder())
    assert "done\n" in daemon.log()


def test_a_name_is_used_once(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    done = daemon.run("daemon")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: probe is running already (its keeper is process {daemon.keeper}): "
        "stop it first, or set RELEASE_NODE to run another beside it\n"
    )
    assert daemon.run("daemon", RELEASE_NODE="other").returncode == 0
    other = Daemon(daemon.launcher, daemon.directory, {**daemon.variables, "RELEASE_NODE": "other"})
    assert "here I am" in other.log()
    other.kill()


def test_of_many_at_once_one_starts(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    several = [daemon.begin("daemon") for _ in range(6)]
    errors = [process.communicate(timeout=60)[1] for process in several]
    assert sorted(process.returncode for process in several) == [0, 1, 1, 1, 1, 1]
    assert all("is running already" in error for error in errors if error)
    daemon.stop()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(make: MakeDaemon, closed: str) -> None:
    daemon = make(WAITS)
    subprocess.run(
        ["/bin/sh", "-c", f'"$0" daemon {closed}', daemon.launcher],
        check=True,
        env=daemon.environment(),
        timeout=60,
    )
    assert "here I am" in daemon.log()
    daemon.stop()


def test_whoever_waits_for_the_output_is_not_kept(make: MakeDaemon) -> None:
    """As over ssh, which waits until nobody holds its pipes any more."""
    daemon = make(WAITS)
    done = daemon.run("daemon")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert alive(daemon.system)


def test_signals_that_the_caller_ignores_are_heard(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    ignore = 'trap "" TERM INT HUP; exec "$0" daemon'
    subprocess.run(["/bin/sh", "-c", ignore, daemon.launcher], check=True, env=daemon.environment())
    daemon.stop()


def test_interrupted_while_it_starts(make: MakeDaemon) -> None:
    program = "import time\nprint('slow', flush=True)\ntime.sleep(60)\ndef main(): pass"
    daemon = make(program)
    with daemon.begin("daemon") as process:
        daemon.until_logged("slow")
        processes = daemon.holder()
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error.splitlines()[-1].startswith("ERROR: probe did not start: it was stopped; its log is in ")
    daemon.gone(*processes)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory that root can't write")
def test_a_directory_that_cannot_be_written(make: MakeDaemon, tmp_path: Path) -> None:
    daemon = make(WAITS)
    file = tmp_path / "a file"
    file.write_text("")
    done = daemon.run("daemon", RELEASE_TMP=str(file))
    assert done.returncode == 1
    assert done.stderr == (
        f"ERROR: cannot write {file} (File exists): set RELEASE_TMP to a directory that can be written\n"
    )
    (tmp_path / "log").mkdir()
    os.chown(tmp_path / "log", 1234, -1)
    done = daemon.run("daemon", RELEASE_TMP=str(tmp_path))
    assert done.stderr == (
        f"ERROR: {tmp_path}/log belongs to another user (id 1234): set RELEASE_TMP to a directory of your own\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-x"], "LOGS does not understand '-x': it takes -f to follow, -n NUMBER for the last lines"),
        (["-n"], "LOGS -n expects a number of lines, got ''"),
    ],
)
def test_logs_that_are_asked_for_wrongly(make: MakeDaemon, arguments: list[str], message: str) -> None:
    done = make(WAITS).run("logs", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ERROR: {message}\n")


def test_no_log(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    done = daemon.run("logs")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: there is no log of {daemon.name} in {daemon.tmp / 'log'}: `daemon` writes one "
        "(RELEASE_NODE and RELEASE_TMP have to be what they were then)\n"
    )


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RELEASE_LOG_MAXSIZE", "many", "set it to a number of bytes from 1000 to 1073741824"),
        ("RUN_ERL_LOG_GENERATIONS", "1", "set it to a number of files from 2 to 1000"),
        (
            "RELEASE_NODE",
            "a/b",
            "a daemon's files are named after it, so set it to a name without slashes of at most 80 bytes",
        ),
        ("RELEASE_BOOT_SCRIPT", "nothing", ""),
    ],
)
def test_bad_values(make: MakeDaemon, variable: str, value: str, message: str) -> None:
    daemon = make(WAITS)
    done = daemon.run("daemon", **{variable: value})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    if message:
        assert done.stderr == f"ERROR: {variable} is '{value}': {message}\n"
    assert not daemon.tmp.exists()


def test_long_paths(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    daemon.directory = daemon.directory / ("long" * 40) / ("longer" * 30)
    daemon.start().stop()

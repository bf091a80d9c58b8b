"""`start_repl` and `daemon_repl` where the release includes IPython."""

from __future__ import annotations

import re
import signal
import subprocess
import textwrap
from typing import TYPE_CHECKING

from tests.runtime.cells import Cells
from tests.runtime.systems import System
from tests.terminals import CTRL_C, CTRL_D

if TYPE_CHECKING:
    from pathlib import Path


def repl(inspected: Path, directory: Path, command: str = "start_repl", **variables: str) -> Cells:
    """`start_repl` on a terminal."""
    system = System(inspected, directory, {"HOME": str(directory), "PROMPT_TOOLKIT_NO_CPR": "1", **variables})
    return Cells([str(inspected), command], directory, system.environment)


def test_a_repl_beside_the_system(inspected: Path, tmp_path: Path) -> None:
    with repl(inspected, tmp_path).prompt() as terminal:
        assert re.search(
            r"inspected 3\.0\.0 on Python .* with IPython .* - \^D stops the system", terminal.text
        )
        terminal.expect("up\n")
        terminal.cell("import asyncio, inspected.service")
        terminal.cell("(await inspected.service.orders.take(5)) > 5", "Out[2]: True")
        terminal.cell(
            "await asyncio.sleep(0, asyncio.get_running_loop() is inspected.service.orders.loop)",
            "Out[3]: True",
        )
        terminal.cell("1 / 0", "ZeroDivisionError")
        terminal.cell("inspected.service.orders.loop.call_later(1, print, 'from the application') and None")
        terminal.output = ""
        terminal.send("half")
        terminal.expect("from the application\n")
        terminal.send(CTRL_C)
        terminal.expect("KeyboardInterrupt")
        terminal.cell("%who", "inspected")
        terminal.send(CTRL_D)
        terminal.expect("down\n")
        assert terminal.finish() == 0


def test_leaving_the_repl_stops_the_system(inspected: Path, tmp_path: Path) -> None:
    with repl(inspected, tmp_path).prompt() as terminal:
        terminal.expect("up\n")
        terminal.send("exit()\r")
        terminal.expect("down\n")
        assert terminal.finish() == 0
    with repl(inspected, tmp_path, RELEASE_REPL="python") as plain:
        plain.expect(">>> ")
        assert "IPython" not in plain.text


def test_a_system_that_ends_while_one_types(inspected: Path, tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", 'stty -a > before; "$0" start_repl; stty -a > after', str(inspected)]
    system = System(inspected, tmp_path, {"HOME": str(tmp_path), "PROMPT_TOOLKIT_NO_CPR": "1"})
    with Cells(command, tmp_path, system.environment).prompt() as terminal:
        terminal.expect("up\n")
        terminal.send("half")
        assert system.run("stop").returncode == 0
        terminal.finish()
        assert terminal.output.rindex("\x1b[?2004l") > terminal.output.rindex("\x1b[?2004h")
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_the_repl_of_a_daemon(inspected: Path, tmp_path: Path) -> None:
    system = System(inspected, tmp_path, {"HOME": str(tmp_path)})
    assert system.run("daemon_repl").returncode == 0
    try:
        with repl(inspected, tmp_path, "attach") as terminal:
            terminal.send("\r")
            terminal.prompt()
            terminal.cell("inspected.service.orders.customer", "Out[1]: 'Ada'")
            terminal.cell("%who", "inspected")
            terminal.send("exit()\r")
            terminal.count = 1
            terminal.output = ""
            terminal.prompt()
            terminal.send(CTRL_D)
            terminal.finish()
        log = system.run("logs").stdout
        assert "Out[1]: 'Ada'" in log
        assert "\x1b[?2004h" not in log
    finally:
        assert system.run("stop").returncode == 0


def test_input_that_is_a_script(inspected: Path, tmp_path: Path) -> None:
    system = System(inspected, tmp_path)
    script = textwrap.dedent("""
        import os, signal
        print('customer', inspected.service.orders.customer)
        os.kill(os.getpid(), signal.SIGTERM)
    """)
    process = subprocess.run(
        [inspected, "start_repl"],
        input=f"import time\nwhile not inspected.service.orders.number: time.sleep(0.01)\n{script}",
        env=system.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (process.returncode, process.stderr) in ((0, ""), (-signal.SIGTERM, ""))
    assert "customer Ada\n" in process.stdout

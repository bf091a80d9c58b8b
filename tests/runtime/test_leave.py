"""The end of the process: everything that Python itself would do and somebody sees."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from hatch_release.runtime import leave
from tests.projects import clean_environment
from tests.runtime.probe import Probe, call, seen

if TYPE_CHECKING:
    from pathlib import Path

# Each is run in the release and in a plain environment, and must look the same.
PROGRAMS = {
    "threads are joined": """
        import threading, time
        def work():
            time.sleep(0.3)
            print('thread done')
        def main():
            threading.Thread(target=work).start()
            print('main done')
    """,
    "a thread raises": """
        import threading
        def work(): raise ValueError('in a thread')
        def main(): threading.Thread(target=work, name='worker').start()
    """,
    "daemon threads are not waited for": """
        import threading, time
        def work():
            while True: time.sleep(0.001)
        def main():
            for _ in range(5): threading.Thread(target=work, daemon=True).start()
            print('main done')
    """,
    "a daemon thread waits for a lock": """
        import threading
        lock = threading.Lock()
        def work():
            with lock: pass
        def main():
            lock.acquire()
            threading.Thread(target=work, daemon=True).start()
    """,
    "executors finish their work": """
        from concurrent.futures import ThreadPoolExecutor
        import time
        def main():
            pool = ThreadPoolExecutor(2)
            for number in range(3): pool.submit(lambda n=number: (time.sleep(0.1 * n), print('job', n)))
    """,
    "exit handlers in reverse order": """
        import atexit
        def main():
            for number in range(3): atexit.register(print, 'handler', number)
            print('main done')
            return 4
    """,
    "exit handlers come after threads": """
        import atexit, threading, time
        def main():
            atexit.register(print, 'handler')
            threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()
    """,
    "an exit handler registers another": """
        import atexit
        def main(): atexit.register(lambda: (print('first'), atexit.register(print, 'second')))
    """,
    "an exit handler fails": """
        import atexit
        def fail(): raise ValueError('in a handler')
        def main():
            atexit.register(print, 'still runs')
            atexit.register(fail)
    """,
    "an exit handler wants to exit": """
        import atexit, sys
        def leave(): sys.exit(9)
        def main(): atexit.register(leave)
    """,
    "an exit handler takes all at once": """
        import atexit, os
        def main():
            atexit.register(print, 'not seen')
            atexit.register(os._exit, 8)
    """,
    "exit handlers after an exception": """
        import atexit
        def main():
            atexit.register(print, 'handler')
            1 / 0
    """,
    "leaves at once": "import os\ndef main():\n  print('lost')\n  os._exit(6)",
    "kills itself": "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGKILL)",
    "aborts": "import os\ndef main(): os.abort()",
    "finalizers": """
        import weakref
        class Thing: pass
        thing = Thing()
        def main(): weakref.finalize(thing, print, 'finalized')
    """,
    "output without a line end": "import sys\ndef main(): sys.stdout.write('no line end')",
    "bytes": "import sys\ndef main(): sys.stdout.buffer.write(b'raw ' * 3)",
    "much output": "def main():\n  for number in range(20_000): print(number, 'x' * 20)",
    "stdout replaced": """
        import io, sys
        def main():
            print('before')
            sys.stdout = io.StringIO()
            print('inside')
    """,
    "stdout wrapped": """
        import io, sys
        def main():
            print('before', flush=True)
            sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='latin-1', errors='replace')
            print('after', end='')
    """,
    "stdout detached": """
        import io, sys
        def main():
            print('before')
            sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')
            print('after', end='')
    """,
    "stdout opened again": """
        import os, sys
        def main():
            sys.stdout = os.fdopen(os.dup(1), 'w')
            print('copy')
    """,
    "stdout is no file": """
        import sys
        class Shouting:
            def write(self, text): sys.__stdout__.write(text.upper())
        def main():
            sys.stdout = Shouting()
            print('quiet')
    """,
    "stdout can be flushed only": """
        import sys
        class Quiet:
            def write(self, text): pass
            def flush(self): sys.__stderr__.write('flushed\\n')
        def main(): sys.stdout = Quiet()
    """,
    "stdout closed": "import sys\ndef main():\n  print('x')\n  sys.stdout.close()",
    "stdout none": """
        import sys
        def main():
            print('x')
            sys.stdout = sys.stderr = None
            sys.exit('text')
    """,
    "C's own stream": """
        import ctypes
        def main():
            ctypes.CDLL(None).printf(b'from C')
            return 2
    """,
    "children are left alone": """
        import subprocess
        def main():
            child = subprocess.Popen(['/bin/sh', '-c', 'sleep 0.3; echo child done'])
            print('main done', flush=True)
    """,
    "a fork returns": """
        import os
        def main():
            print('once', flush=True)
            if os.fork():
                os.wait()
                return 3
            print('in the child')
    """,
    "a child of multiprocessing": """
        import multiprocessing
        def main():
            context = multiprocessing.get_context('fork')
            context.Process(target=print, args=('in the child',)).start()
    """,
    "an event loop": """
        import asyncio
        async def work():
            try: await asyncio.sleep(10)
            finally: print('cancelled')
        async def run():
            task = asyncio.create_task(work())
            await asyncio.sleep(0.01)
            return 4
        def main(): return asyncio.run(run())
    """,
    "logging": """
        import logging, logging.handlers
        def main():
            target = logging.StreamHandler()
            logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=target))
            logging.warning('buffered')
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_a_plain_environment(each_probe: Probe, name: str) -> None:
    program = PROGRAMS[name]
    assert seen(each_probe.start(program)) == seen(each_probe.untouched(program))


FILES = {
    "text": "open(path, 'w').write('text')",
    "text that stays open": "keep.append(open(path, 'w')); keep[0].write('text')",
    "bytes": "keep.append(open(path, 'wb')); keep[0].write(b'bytes')",
    "update": "keep.append(open(path, 'w+b')); keep[0].write(b'bytes')",
    "own buffer": "import io; keep.append(io.BufferedWriter(io.FileIO(path, 'w'))); keep[0].write(b'bytes')",
    "codecs": "import codecs; keep.append(codecs.open(path, 'w', 'utf-16')); keep[0].write('ä')",
    "log": "import logging; logging.basicConfig(filename=path); logging.error('text')",
    "a class of its own": """
    import io
    class Mine(io.TextIOWrapper): pass
    keep.append(Mine(io.BufferedWriter(io.FileIO(path, 'w')))); keep[0].write('text')""",
}


@pytest.mark.parametrize("name", FILES)
def test_open_files_are_complete(each_probe: Probe, name: str, tmp_path: Path) -> None:
    contents = []
    for way in (each_probe.start, each_probe.untouched):
        file = tmp_path / way.__name__
        program = f"keep = []\ndef main():\n    path = {str(file)!r}\n    {FILES[name]}\n"
        done = way(program)
        assert (done.returncode, done.stderr) == (0, "")
        contents.append(file.read_text(errors="replace").replace(str(file), ""))
    assert contents[0] == contents[1] != ""


def test_open_archives_are_complete(each_probe: Probe, tmp_path: Path) -> None:
    program = f"""
        import gzip, zipfile
        keep = []
        def main():
            keep.append(zipfile.ZipFile({str(tmp_path / "a.zip")!r}, 'w'))
            keep[-1].writestr('name', 'zipped')
            keep.append(gzip.open({str(tmp_path / "a.gz")!r}, 'wt'))
            keep[-1].write('gzipped')
    """
    assert seen(each_probe.start(program)) == (0, "", "")
    assert zipfile.ZipFile(tmp_path / "a.zip").read("name") == b"zipped"
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"gzipped"


def test_temporary_files_are_removed(each_probe: Probe, tmp_path: Path) -> None:
    program = """
        import tempfile
        keep = []
        def main():
            keep.append(tempfile.NamedTemporaryFile())
            keep.append(tempfile.TemporaryDirectory())
            keep[0].write(b'x')
    """
    done = call([each_probe.launcher, "start"], program, TMPDIR=str(tmp_path))
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_impatient_interrupt_while_threads_are_joined(each_probe: Probe) -> None:
    program = """
import atexit, threading, time
def main():
    atexit.register(print, 'handler')
    threading.Thread(target=lambda: time.sleep(1)).start()
    print('waiting', flush=True)
"""
    ways = []
    for command in ([str(each_probe.launcher), "start"], [str(each_probe.plain)]):
        process = subprocess.Popen(
            command,
            env=clean_environment(PROGRAM=program),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        ways.append((process.returncode, output, errors.splitlines()[0].split(" ")[:2], "leave.py" in errors))
    assert ways[0] == ways[1]


def test_thread_may_start_another(each_probe: Probe) -> None:
    # As Python does it, but for 3.12, which refuses that once the main thread has ended.
    program = """
        import threading, time
        def work(more):
            time.sleep(0.1)
            print(more)
            if more: threading.Thread(target=work, args=(more - 1,)).start()
        def main(): threading.Thread(target=work, args=(3,)).start()
    """
    assert seen(each_probe.start(program)) == (0, "3\n2\n1\n0\n", "")


def test_daemon_thread_that_prints_all_the_time(each_probe: Probe) -> None:
    program = """
        import threading
        def work():
            while True: print('noise')
        def main(): threading.Thread(target=work, daemon=True).start()
    """
    for _ in range(5):
        done = each_probe.start(program)
        assert (done.returncode, done.stderr) == (0, "")


def test_modules_are_not_loaded_at_the_end(probe: Probe) -> None:
    # Looking through all modules must not touch one that loads itself when touched.
    program = """
        import importlib.util, sys
        def main():
            spec = importlib.util.find_spec('probe.broken')
            spec.loader = importlib.util.LazyLoader(spec.loader)
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            sys.modules['odd'] = object()
            spec.loader.exec_module(module)
    """
    assert seen(probe.start(program)) == (0, "", "")


def test_warnings_as_errors_change_nothing(each_probe: Probe, tmp_path: Path) -> None:
    options = tmp_path / "vm.args"
    options.write_text("-W error\n")
    program = "import threading\nfile = open('/dev/null', 'w')\ndef main(): print('out')"
    done = each_probe.start(program, RELEASE_VM_ARGS=str(options))
    assert seen(done) == (0, "out\n", "")


def test_writable_descriptors_are_found() -> None:
    read, write = os.pipe()
    try:
        assert leave._writes_to_files()  # noqa: SLF001 - on Linux, and everywhere with a /proc
    finally:
        os.close(read)
        os.close(write)

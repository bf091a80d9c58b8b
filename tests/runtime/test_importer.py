"""The module index: an import inside a release is a lookup, and looks like any other import."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hatch_release.runtime import bootfile, bootstrap
from tests.projects import run
from tests.runtime.probe import Probe, call, rewrite, seen

# Finds every module of the release both ways and prints where they differ.
COMPARE = """
    import importlib.machinery, sys
    finder = sys.meta_path[0]
    names = list(finder.release_payload['hot'])
    finder.find_spec('no_such_module')
    names += finder._cold
    def described(spec):
        if spec is None: return None
        kind = type(spec.loader).__name__.replace('ImageLoader', 'SourcelessFileLoader')
        locations = spec.submodule_search_locations
        return (spec.name, kind, spec.loader.path, spec.loader.name, spec.origin, spec.cached, spec.has_location,
                spec.parent, None if locations is None else list(locations))
    def by_path(name):
        path = None
        for end in range(name.count('.') + 1):
            part = '.'.join(name.split('.')[:end + 1])
            spec = importlib.machinery.PathFinder.find_spec(part, path)
            if spec is None: return None
            path = spec.submodule_search_locations
        return spec
    for name in names:
        mine, other = described(finder.find_spec(name)), described(by_path(name))
        if mine != other: print(name, mine, other)
    print(len(names) > 400)
"""


def test_specs_are_those_of_python_s_own_finder(each_probe: Probe) -> None:
    assert seen(each_probe.eval(COMPARE)) == (0, "True\n", "")
    done = each_probe.start(f"def main(): pass\n{_flat(COMPARE)}")
    assert seen(done) == (0, "True\n", "")


def _flat(code: str) -> str:
    return "\n".join(line[4:] for line in code.splitlines())


# Each prints the same in the release and where the same tree is merely on the path of a plain interpreter.
QUESTIONS = {
    "attributes": """
        import probe, probe.sub.deep, probe.tools, json.decoder
        for module in (probe, probe.sub, probe.sub.deep, probe.tools):
            print(module.__name__, module.__file__, module.__package__, getattr(module, '__path__', None),
                  module.__spec__.name, module.__spec__.origin, module.__spec__.cached, module.__doc__)
    """,
    "find_spec": """
        import importlib.util
        for name in ('probe', 'probe.sub.deep', 'probe.tools', 'probe_space', 'probe_space.inside', 'nothing'):
            spec = importlib.util.find_spec(name)
            places = spec and spec.submodule_search_locations
            print(name, spec and spec.origin, places and list(places))
    """,
    "reload": """
        import importlib, probe.tools, probe.sub
        old = probe.tools.double
        print(importlib.reload(probe.tools) is probe.tools, probe.tools.double is old, importlib.reload(probe.sub))
    """,
    "listings": """
        import pkgutil, probe
        print(sorted((each.name, each.ispkg) for each in pkgutil.iter_modules(probe.__path__)))
        print(sorted(each.name for each in pkgutil.walk_packages(probe.__path__, 'probe.')))
        print([each.name for each in pkgutil.iter_modules() if each.name.startswith('probe')])
    """,
    "data": """
        import pkgutil, probe, importlib.resources as resources
        print(pkgutil.get_data('probe', 'data/text.txt'), probe.__loader__.get_data(probe.__file__)[:2] != b'')
        file = resources.files('probe') / 'data' / 'text.txt'
        print(file.read_text(), file.is_file())
        print(sorted(each.name for each in (resources.files('probe') / 'data').iterdir()))
        with resources.as_file(file) as path: print(path)
        print(resources.files('probe.sub'), resources.files('probe_space').joinpath('inside.pyc').is_file())
    """,
    "inspection": """
        import inspect, probe, probe.tools
        print(inspect.getfile(probe), inspect.getmodule(probe.tools.double), inspect.getsourcefile(probe.tools.double))
        try: inspect.getsource(probe.tools.double)
        except OSError as error: print(type(error).__name__)
        print(inspect.signature(probe.tools.double), probe.tools.report.__doc__)
    """,
    "runpy": """
        import runpy, probe.sub
        probe_file = probe.sub.__path__[0] + '/deep.pyc'
        print(runpy.run_module('probe.sub.deep')['HERE'], runpy.run_module('probe.tools', run_name='x')['__name__'])
        print(runpy.run_module('probe.tools')['__file__'], runpy.run_path(probe_file)['HERE'])
    """,
    "loader": """
        import copy, pickle, probe, probe.tools, probe.__main__
        for module in (probe, probe.tools, probe.__main__):
            loader = module.__loader__
            print(loader.is_package(module.__name__), loader.get_filename(), loader.get_source(module.__name__),
                  loader.get_code(module.__name__).co_name, loader.path, loader.name)
            again = pickle.loads(pickle.dumps(loader))
            print(again.path, again.name, copy.copy(loader).path, copy.deepcopy(loader).name)
            spec = pickle.loads(pickle.dumps(module.__spec__))
            print(spec.name, spec.origin)
    """,
    "metadata": """
        import importlib.metadata as metadata
        print(metadata.version('probe'), metadata.metadata('probe')['Name'])
        print(sorted(each.name for each in metadata.distribution('probe').entry_points))
        print(sorted(str(each) for each in metadata.files('probe') if str(each).endswith('.txt')))
    """,
    "unknown": """
        import importlib.util
        try: import probe.nothing
        except ModuleNotFoundError as error: print(error, error.name, error.path)
        try: from probe import nothing
        except ImportError as error: print(type(error).__name__, error.name)
        try: import json.nothing
        except ModuleNotFoundError as error: print(error)
    """,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_modules_are_as_in_a_plain_directory(each_probe: Probe, name: str) -> None:
    python = next(each_probe.root.glob("python-*/bin/python3"))
    code = "\n".join(line[8:] for line in QUESTIONS[name].splitlines())
    library = each_probe.root / "lib" / "probe-1.2.0"
    outside = call([python, "-I", "-S", "-c", f"import sys; sys.path.append({str(library)!r})\n{code}"])
    assert outside.returncode == 0, outside.stderr
    assert seen(each_probe.eval(code)) == seen(outside)
    # The application's own modules come from the image when it starts.
    started = each_probe.start(f"import os\ndef main():\n    exec({code!r}, {{}})")
    assert seen(started) == seen(outside)


def test_files_dropped_beside_are_found(each_probe: Probe, tmp_path: Path) -> None:
    clone = each_probe.clone(tmp_path / "root")
    package = clone.root / "lib" / "probe-1.2.0" / "probe"
    (package / "plugin.py").write_text("HERE = 'dropped into the package'\n")
    (package.parent / "single.py").write_text("HERE = 'dropped beside'\n")
    (package.parent / "probe_space" / "more.py").write_text("HERE = 'a portion'\n")
    code = """
        import probe.plugin, single, probe_space.more, probe_space.inside
        print(probe.plugin.HERE, single.HERE, probe_space.more.HERE, probe_space.inside.HERE, sep='; ')
    """
    expected = "dropped into the package; dropped beside; a portion; in a namespace package\n"
    assert seen(clone.eval(code)) == (0, expected, "")


def test_additions_to_the_path_at_run_time(each_probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "added.py").write_text("HERE = 1\n")
    (tmp_path / "second" / "probe_space").mkdir(parents=True)
    (tmp_path / "second" / "probe_space" / "portion.py").write_text("HERE = 2\n")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "first")
    code = f"""
        import sys, importlib
        try: import added
        except ImportError: print('not yet')
        import probe_space
        sys.path += [{str(tmp_path / "packed.zip")!r}, {str(tmp_path / "second")!r}]
        importlib.invalidate_caches()
        import added, probe_space.portion, probe_space.inside
        print(added.HERE, probe_space.portion.HERE, probe_space.inside.HERE, 'packed.zip' in added.__file__)
    """
    assert seen(each_probe.eval(code)) == (0, "not yet\n1 2 in a namespace package True\n", "")


def test_directories_put_in_front_count_before_the_release(each_probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "__init__.py").write_text("HERE = 'another one'\n")
    (tmp_path / "probe" / "only.py").write_text("HERE = 'its own'\n")
    code = f"""
        import importlib.util, sys
        import json
        sys.path.insert(0, {str(tmp_path)!r})
        import probe, probe.only, string
        print(probe.HERE, probe.only.HERE, string.__file__.startswith({str(each_probe.root)!r}), sep='; ')
        names = [name for name in ('probe.plain', 'probe.sub', 'json.decoder') if importlib.util.find_spec(name)]
        print(names)  # what the release has of the first package is not mixed in
        sys.path.remove({str(tmp_path)!r})
        for name in ('probe', 'probe.only'): del sys.modules[name]
        import probe
        print(probe.__file__.startswith({str(each_probe.root)!r}))
    """
    assert seen(each_probe.eval(code)) == (0, "another one; its own; True\n['json.decoder']\nTrue\n", "")


def test_importers_of_others_are_asked(each_probe: Probe) -> None:
    code = """
        import sys, importlib.abc, importlib.util
        class Made(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path, target=None):
                return importlib.util.spec_from_loader(name, self) if name in ('made', 'json') else None
            def exec_module(self, module): module.HERE = 'made'
        sys.meta_path.append(Made())
        import made
        print(made.HERE)
        sys.meta_path.insert(0, sys.meta_path.pop())
        import json
        print(json.HERE)
    """
    assert seen(each_probe.eval(code)) == (0, "made\nmade\n", "")


MANY = [
    "json.tool",
    "decimal",
    "fractions",
    "difflib",
    "email.mime.text",
    "http.server",
    "xml.dom.minidom",
    "logging.config",
    "wave",
    "csv",
]


def test_threads_import_at_the_same_time(each_probe: Probe) -> None:
    code = f"""
        import importlib, sys, threading
        sys.setswitchinterval(1e-6)
        names, failed = {MANY!r}, []
        barrier = threading.Barrier(8)
        def work(number):
            barrier.wait()
            for name in names[number:] + names[:number]:
                try: importlib.import_module(name)
                except BaseException as error: failed.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for each in threads: each.start()
        for each in threads: each.join()
        print(failed, all(name in sys.modules for name in names))
    """
    assert seen(each_probe.eval(code)) == (0, "[] True\n", "")
    program = f"def main():\n    exec({_flat(_flat(code))!r}, {{}})"
    assert seen(each_probe.start(program)) == (0, "[] True\n", "")


IMAGE = "releases/1.2.0/consolidated/modules"


@pytest.mark.parametrize("damage", ["gone", "empty", "cut off", "a directory"])
def test_image_is_not_needed(each_probe: Probe, damage: str, tmp_path: Path) -> None:
    clone = each_probe.clone(tmp_path / "root")
    image = clone.root / IMAGE
    data = image.read_bytes()
    image.unlink()
    if damage == "empty":
        image.write_bytes(b"")
    elif damage == "cut off":
        image.write_bytes(data[: len(data) // 2])
    elif damage == "a directory":
        image.mkdir()
    program = "import probe.sub.deep\ndef main(): print(probe.sub.deep.HERE, probe.__file__)"
    expected = f"deep {clone.root}/lib/probe-1.2.0/probe/__init__.pyc\n"
    assert seen(clone.start(program)) == (0, expected, "")
    assert seen(clone.eval("print(probe.sub.deep.HERE)")) == (0, "deep\n", "")


def test_application_may_close_every_descriptor(each_probe: Probe) -> None:
    program = """
        import os
        def main():
            os.closerange(3, 256)
            for name in ('/dev/null', '/dev/zero', '/etc/passwd'): os.open(name, os.O_RDONLY)
            import json.tool, probe.sub.deep, decimal, wave, importlib
            importlib.reload(probe.sub.deep)
            print(probe.sub.deep.HERE)
    """
    assert seen(each_probe.start(program)) == (0, "deep\n", "")
    code = "import os; os.closerange(3, 256); import wave, decimal; print(decimal.Decimal(1))"
    assert seen(each_probe.eval(code)) == (0, "1\n", "")


def test_application_may_close_every_descriptor_while_it_is_imported(probe: Probe) -> None:
    # As a module does that makes a daemon of the process at once: its imports go on without the image.
    code = """
        import os, sys, importlib
        finder = sys.meta_path[0]
        finder.open_image()
        os.closerange(3, 256)
        for name in finder.release_payload['hot']: sys.modules.pop(name, None) if name.startswith('probe') else None
        import probe.tools, probe.__main__
        finder.close_image()
        print(probe.tools.double(2), finder.image)
    """
    assert seen(probe.eval(code)) == (0, "4 -1\n", "")


def test_code_of_the_image_is_that_of_the_files(each_probe: Probe) -> None:
    code = """
        import marshal, sys
        finder = sys.meta_path[0]
        image = open(finder.release_root + '/' + finder.release_payload['image'], 'rb').read()
        for name, (_, _, offset, size) in finder.release_payload['hot'].items():
            if marshal.loads(image[offset:offset + size]) != finder.find_spec(name).loader.get_code(name): print(name)
        print('probe.__main__' in finder.release_payload['hot'])
    """
    assert seen(each_probe.eval(code)) == (0, "True\n", "")


@pytest.mark.parametrize("cut", [1, 8, 24, 1000])
@pytest.mark.parametrize("command", [["start"], ["eval", "1"]], ids=str)
def test_damaged_boot_file_is_explained(
    each_probe: Probe, cut: int, command: list[str], tmp_path: Path
) -> None:
    clone = each_probe.clone(tmp_path / "root")
    boot = clone.version_path / ("start.boot" if command == ["start"] else "start_clean.boot")
    rewrite(boot, boot.read_bytes()[:-cut])
    done = run(clone.launcher, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ERROR: {boot} is damaged: install the release again from its archive\n"


def test_payload_that_is_no_payload(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    boot = clone.version_path / "start.boot"
    data = boot.read_bytes()
    middle = int.from_bytes(data[-16:-8], "little") + 10
    rewrite(boot, data[:middle] + b"\xff" * 100 + data[middle + 100 :])
    done = run(clone.launcher, "start")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"ERROR: {boot} is damaged")


def test_boot_file_and_bootstrap_agree_on_the_format() -> None:
    source = Path(bootstrap.__file__).read_text(encoding="utf-8")
    assert repr(bootfile.MAGIC)[1:].strip("'") in source
    assert f"data[-{bootfile.TRAILER_SIZE}:" in source


def test_release_describes_itself(each_probe: Probe) -> None:
    script = json.loads((each_probe.version_path / "start.script").read_text())
    assert script["modules"]["probe.tools"] == "lib/probe-1.2.0/probe/tools.pyc"
    assert "probe.__main__" in script["imaged"]
    assert {"probe", "probe-report", "probe-nested", "probe-missing"} == set(script["scripts"])

"""What a build says about configuration that is wrong, and what it finds in the project."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters
from tests.builds import at, configure, failure, nothing_written, replace
from tests.projects import ROOT, clean_environment, run, write_project
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.configuration.configured import Configured
    from tests.projects import Builder

IMPORT = "from hatch_release.runtime.config import *\n"
EVALUATE = "import sys; from hatch_release.runtime.config.assembling import assemble; assemble(*sys.argv[1:])"
PROVIDERS = """
import datetime
from hatch_release.runtime.config import ConfigError, ConfigProvider

class Strict(ConfigProvider):
    def init(self, term):
        if term is None:
            raise ConfigError("Strict needs something")
        return {"given": term, "at": datetime.date(2026, 1, 31)}

class Broken(ConfigProvider):
    def init(self, term):
        return term["missing"]

class Rich(ConfigProvider):
    def init(self, term):
        return {"open": [print]}

class Half:
    def init(self, term):
        return term
"""


def evaluated(directory: Path, files: dict[str, str], *providers: list[Any], **job: Any) -> dict[str, Any]:  # noqa: ANN401
    """The report of the part of assembling that runs inside the release."""
    for name, text in files.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, "utf-8")
    config = directory / "config" / "config.py"
    whole = {
        "root": str(directory),
        "config": str(config) if config.exists() else None,
        "runtime": str(directory / "config" / "runtime.py") if "config/runtime.py" in files else None,
        "environment": "prod",
        "providers": providers,
        "compiled": [],
        "path": [],
        **job,
    }
    (directory / "job.json").write_text(json.dumps(whole), "utf-8")
    subprocess.run(
        [sys.executable, "-c", EVALUATE, "job.json", "report.json"],
        cwd=directory,
        env=clean_environment(PYTHONPATH=f"{ROOT}:{directory}"),
        check=True,
    )
    report: dict[str, Any] = json.loads((directory / "report.json").read_text("utf-8"))
    return report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import os\nconfig('shop', key=os.environ['NO_SUCH'])",
            "config/config.py:3 failed with KeyError: 'NO_SUCH'",
        ),
        (
            "config('shop', port=",
            "config/config.py:2 is no Python that this interpreter knows: '(' was never closed",
        ),
        ("import_config('nowhere.py')", "config/config.py:2: there is no file config/nowhere.py to import"),
        (
            "import_config('config.py')",
            "config/config.py:2: config.py imports itself, by way of config/config.py",
        ),
        ("import_config('other.py')", "config/other.py:2 failed with ZeroDivisionError: division by zero"),
        (
            "config('shop', tables={'deep': [1, {'handler': print}]})",
            "config/config.py:2: the key tables.deep.1.handler of shop is of type builtin_function_or_method, which",
        ),
        (
            "config('shop', 5)",
            "config/config.py:2: config() takes values by key, as in config('shop', port=8000)",
        ),
        ("config(5, port=1)", "config/config.py:2: config() takes the name of an application first, found 5"),
        ("config('shop', {1: 2})", "config/config.py:2: the key 1 of shop is no string"),
        ("config('python', optimise=1)", "unknown setting 'optimise' of python: did you mean 'optimize'?"),
        ("config('python', W='error')", "the setting W of python is 'error': expected a list of -W options"),
        (
            "import hatch_release.no_such",
            "config/config.py:2 imports hatch_release.no_such, which assembles releases and is not inside them",
        ),
    ],
)
def test_a_configuration_that_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    report = evaluated(tmp_path, {"config/config.py": IMPORT + text, "config/other.py": "\n1 / 0\n"})
    assert report["error"].startswith(expected)


def test_a_syntax_error_in_the_run_time_configuration_is_found(tmp_path: Path) -> None:
    report = evaluated(tmp_path, {"config/runtime.py": "\n\nif True\n"})
    assert report["error"] == "config/runtime.py:3 is no Python that this interpreter knows: expected ':'"


def test_later_wins_and_tables_merge_deeply(tmp_path: Path) -> None:
    text = (
        "config('shop', a={'x': {'y': 1}}, b={'x': 1}, c=1)\n"
        "config('shop', a={'x': {'z': 2}}, b=2, c={'x': 1})\n"
        "import_config('more/last.py')\n"
    )
    files = {
        "config/config.py": IMPORT + text,
        "config/more/last.py": IMPORT + "config('shop', a={'x': {'y': 3}})",
    }
    (tmp_path / "config" / "more").mkdir(parents=True)
    report = evaluated(tmp_path, files)
    assert report["values"] == {"shop": {"a": {"x": {"y": 3, "z": 2}}, "b": 2, "c": {"x": 1}}}
    assert {".".join(path): source for path, source in report["origins"]} == {
        "shop.a.x.y": "config/more/last.py:2",
        "shop.a.x.z": "config/config.py:3",
        "shop.b": "config/config.py:3",
        "shop.c.x": "config/config.py:3",
    }


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (["tolm", None], "unknown config provider 'tolm': did you mean 'toml'?"),
        (["no_such:Thing", None], "the config provider no_such:Thing can't be imported: ModuleNotFoundError"),
        (["providers:Thing", None], "the config provider providers:Thing can't be imported: AttributeError"),
        (["providers:Half", None], "providers:Half is no config provider, it lacks the method load"),
        (["providers:Strict", None], "Strict needs something"),
        (
            ["providers:Broken", {}],
            "init of the config provider providers:Broken failed with KeyError: 'missing'",
        ),
        (
            ["providers:Rich", None],
            "init of the config provider providers:Rich gave a value of type builtin_function",
        ),
        (["toml", None], "the config provider toml takes a path or a table such as"),
        (["toml", "extra.toml"], "the config provider toml has the relative path 'extra.toml'"),
        (
            ["toml", {"path": "/x", "optinal": True}],
            "the config provider toml has no setting 'optinal': did you mean 'optional'?",
        ),
        (["json", {"path": 1}], "the config provider json needs a path, found 1"),
        (
            ["json", {"env": "", "path": "x"}],
            "the config provider json takes the name of a variable as env, found ''",
        ),
        (["env", {}], "the config provider env needs a prefix"),
        (
            ["env", {"prefix": "A_", "app": "x"}],
            "the config provider env has no setting 'app': there is application, prefix, separator",
        ),
        (
            ["secrets", {"path": "/x", "separator": 1}],
            "the config provider secrets takes a string as separator, found 1",
        ),
    ],
)
def test_a_provider_that_is_wrong_is_told_when_assembling(
    tmp_path: Path, provider: list[Any], expected: str
) -> None:
    assert evaluated(tmp_path, {"providers.py": PROVIDERS}, provider)["error"].startswith(expected)


def test_what_init_gives_is_kept_exactly(tmp_path: Path) -> None:
    report = evaluated(tmp_path, {"providers.py": PROVIDERS}, ["providers:Strict", {"a": 1}])
    assert report["providers"] == [["providers:Strict", {"given": {"a": 1}, "at": {"$date": "2026-01-31"}}]]


def test_a_build_with_a_configuration_that_fails_leaves_nothing(builder: Builder, project: Path) -> None:
    replace(
        project,
        'config("configured", environment',
        'config("configured", missing=len(5), environment',
        "config/prod.py",
    )
    done = builder.build(project)
    assert failure(done).startswith(
        "config/prod.py:3 failed with TypeError: object of type 'int' has no len()"
    )
    assert nothing_written(project)


@pytest.mark.parametrize("module", ["hatchling.builders", "hatch_release.options.table"])
def test_the_run_time_configuration_can_not_import_what_assembles(
    builder: Builder, project: Path, module: str
) -> None:
    replace(project, "import os", f"import os\nimport {module}", "config/runtime.py")
    found = failure(builder.build(project))
    assert found == (
        f"config/runtime.py:4 imports {module}, which assembles releases and is not inside them: import from "
        "hatch_release.runtime.config alone"
    )


def test_the_run_time_configuration_can_not_import_other_files(builder: Builder, project: Path) -> None:
    with (project / "config" / "runtime.py").open("a", encoding="utf-8") as stream:
        stream.write("\nfrom hatch_release.runtime.config import import_config\n\nimport_config('more.py')\n")
    found = failure(builder.build(project))
    assert found.startswith(
        "config/runtime.py:17 calls import_config, which is not possible where the release runs"
    )


def test_a_file_that_an_option_names_has_to_be_there(builder: Builder, project: Path) -> None:
    configure(project, 'config-path = "etc/config.py"')
    assert failure(builder.build(project)) == at(project, "config-path") + (
        f"the option config-path names {project}/etc/config.py, which is no file: correct it, or leave it out"
    )


def test_other_paths_and_no_run_time_configuration(builder: Builder, project: Path) -> None:
    (project / "config").rename(project / "etc")
    configure(project, 'config-path = "etc/config.py"\nruntime-config-path = false')
    root = builder.release(project)
    assert not (root / "releases" / "1.0.0" / "runtime.py").exists()
    report = json.loads(run(root / "bin" / "configured", "start", PORT="9000").stdout)
    assert (report["port"], report["environment"], "ran_in" in report) == ("8000", "'prod'", False)


def test_what_is_not_in_the_release_and_what_is_secret_is_warned_of(builder: Builder, project: Path) -> None:
    with (project / "config" / "config.py").open("a", encoding="utf-8") as stream:
        stream.write("\nfrom hatch_release.runtime.config import secret\n")
        stream.write('config("confgured", port=1)\nconfig("somewhere_else", port=1)\n')
        stream.write('config("configured", token=secret("topsecret"))\n')
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    assert (
        "config/config.py:24 configures 'confgured', which is not in the release: did you mean 'configured'?"
        in done.stderr
    )
    assert (
        "configures 'somewhere_else', which is not in the release, and nothing in it has a similar name"
        in done.stderr
    )
    assert "config/config.py:26 writes the secret configured.token into the release" in done.stderr
    sys_config = project / "dist" / "release" / "configured" / "releases" / "1.0.0" / "sys.config"
    assert sys_config.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif("3.10" not in interpreters.available(), reason="newer versions have tomllib")
def test_toml_needs_a_reader_on_python_3_10(builders: dict[str, Builder], project: Path) -> None:
    replace(project, """dependencies = ["tomli; python_version < '3.11'"]""", "")
    assert failure(builders["3.10"].build(project)) == at(project, '"toml"') + (
        "reading TOML needs tomli on Python 3.10: add \"tomli; python_version < '3.11'\" to the project's dependencies"
    )


def test_a_release_without_an_interpreter_is_configured_by_the_same(builder: Builder, project: Path) -> None:
    configure(project, "include-python = false")
    root = builder.release(project)
    environment = {"RELEASE_PYTHON": str(interpreters.find(interpreters.running()))}
    report = json.loads(
        run(root / "bin" / "configured", "start", cwd=None, PORT="9000", **environment).stdout
    )
    assert (report["port"], report["since"]) == ("9000", "datetime.date(2026, 1, 31)")


def test_a_step_may_add_providers(builder: Builder, project: Path) -> None:
    step = "def add(release):\n    release.config_providers.append({})\n    return release\n"
    added = """{"provider": "env", "init": {"prefix": "MORE_", "application": "configured"}}"""
    (project / "release_steps.py").write_text(step.format(added), "utf-8")
    configure(project, 'steps = ["release_steps:add", "assemble"]')
    root = builder.release(project)
    assert json.loads(run(root / "bin" / "configured", "start", MORE_PORT="7").stdout)["port"] == "7"
    (project / "release_steps.py").write_text(step.format('{"provider": "evn"}'), "utf-8")
    found = failure(builder.build(project, HATCH_RELEASE_OVERWRITE="1"))
    assert found == "unknown config provider 'evn': did you mean 'env'?"
    (project / "release_steps.py").write_text(step.format('{"provder": "env"}'), "utf-8")
    found = failure(builder.build(project, HATCH_RELEASE_OVERWRITE="1"))
    assert found.startswith("the release's config_providers[0]: expected a table { provider = ")


PLUGIN = """
from hatch_release import hookimpl


@hookimpl
def release_config_providers():
    return {"vault": "configured.vault:Vault"}
"""


def test_a_plugin_may_give_names_to_providers(builder: Builder, project: Path) -> None:
    (project / "release_plugin.py").write_text(PLUGIN, "utf-8")
    replace(project, '"configured.vault:Vault"', '"vault"')
    configure(project, 'plugins = ["release_plugin"]')
    root = builder.release(project)
    (project / "token").write_text("short", "utf-8")
    done = run(root / "bin" / "configured", "start", VAULT=str(project / "token"))
    assert "ERROR: the config provider configured.vault:Vault failed with ValueError" in done.stderr
    replace(project, '"vault"', '"valt"')
    assert failure(builder.build(project)) == at(project, '"valt"') + (
        "tool.hatch.build.targets.release.config-providers[5].provider: unknown provider 'valt', did you mean "
        "'vault'?"
    )


CARRIER = """
from hatch_release.runtime import compile_env as fixed


def main():
    print(fixed("carrier", ("wing", "span")))
"""
COMPUTED = (
    'from hatch_release import runtime\n\n\ndef main(key="x"):\n    print(runtime.compile_env("shop", key))\n'
)
PYPROJECT = """
[project]
name = "shop"
version = "1.0"
dependencies = ["carrier"]
[project.scripts]
shop = "shop:main"
[tool.hatch.build.targets.release]
config-providers = [{ provider = "env", init = "AT_BOOT_" }]
"""


@pytest.mark.parametrize("strip", ["true", "false"])
def test_compile_env_is_found_in_dependencies_too(builder: Builder, tmp_path: Path, strip: str) -> None:
    wheel = make_wheel(tmp_path / "wheels", "carrier", files={"carrier.py": CARRIER})
    files = {
        "pyproject.toml": f"{PYPROJECT}strip = {strip}\n",
        "requirements.lock": locked("carrier", wheel),
        "shop/__init__.py": COMPUTED.replace("def main", "from carrier import main as wings\n\n\ndef main"),
        "config/config.py": IMPORT + "config('carrier', wing={'span': 5})\n",
    }
    project = write_project(tmp_path / "shop", files)
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    assert "shop calls compile_env with an application or key that is no constant" in done.stderr
    launcher = project / "dist" / "release" / "shop" / "bin" / "shop"
    wings = "import carrier; carrier.main()"
    assert run(launcher, "eval", wings).stdout == "5\n"
    refused = run(launcher, "eval", wings, AT_BOOT_CARRIER__WING__SPAN="6")
    assert refused.returncode == 1
    assert "the application carrier has another value for the path wing.span at run time" in refused.stderr
    assert "when it was assembled the value was 5\n" in refused.stderr
    assert "at run time the value is 6\n" in refused.stderr


def test_the_check_can_be_turned_off(builder: Builder, project: Path) -> None:
    configure(project, "validate-compile-env = false")
    root = builder.release(project)
    report = json.loads(run(root / "bin" / "configured", "start", CONFIGURED_FIXED="other").stdout)
    assert (report["fixed"], report["FIXED"]) == ("'other'", "at build time")


def test_a_value_that_compile_env_reads_must_not_change(each: Configured) -> None:
    done = each.run("start", CONFIGURED_FIXED="other")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "ERROR: the application configured has another value for the key fixed at run time"
    )
    assert "the value was 'at build time'\n" in done.stderr
    assert "the value is 'other'\n" in done.stderr
    assert "validate-compile-env = false" in done.stderr

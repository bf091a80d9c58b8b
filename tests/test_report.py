"""HATCH_RELEASE_REPORT: what became of a build, for other programs."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from tests import interpreters
from tests.builds import configure, failure, interrupted, nothing_written, replace
from tests.projects import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.projects import Builder

AS_JSON = {"HATCH_RELEASE_REPORT": "out/report.json"}


def report_of(project: Path) -> dict[str, Any]:
    assert os.listdir(project / "out") == ["report.json"]  # noqa: PTH208 - no draft is left
    value: dict[str, Any] = json.loads((project / "out" / "report.json").read_text("utf-8"))
    assert value["format"] == 1
    assert value["seconds"] >= 0
    return value


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_built_is_told(builder: Builder, project: Path) -> None:
    configure(project, 'steps = ["assemble", "tar"]')
    (project / "requirements.lock").unlink()
    root = builder.release(project, **AS_JSON)
    report = report_of(project)
    assert (report["status"], report["error"]) == ("succeeded", None)
    (told,) = report["releases"]
    assert (told["name"], told["version"], told["status"]) == ("hello", "1.0.0", "succeeded")
    assert told["path"] == str(root)
    assert told["target"].endswith("-linux-gnu")
    assert told["python"].startswith(interpreters.running())
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert told["size"] == sum(path.stat().st_size for path in files)
    assert told["manifest"] == sha256(root / "releases/1.0.0/manifest.sha256")
    (archive,) = root.parent.glob("*.tar.zst")
    assert told["artifacts"] == [
        {"path": str(archive), "size": archive.stat().st_size, "sha256": sha256(archive)}
    ]
    titles = [stage["title"] for stage in told["stages"]]
    assert titles[0] == "Building the wheel"
    assert titles[-1] == f"Packing {archive.name}"
    assert 0 < sum(stage["seconds"] for stage in told["stages"]) <= told["seconds"] <= report["seconds"]
    assert ["no lock found" in warning for warning in told["warnings"]] == [True]


def test_a_failure_is_told(builder: Builder, project: Path) -> None:
    builder.release(project, **AS_JSON)
    # An option that is wrong, before any release is begun.
    line = failure(builder.build(project, HATCH_RELEASE_OVERWRIT="1", **AS_JSON))
    report = report_of(project)
    assert (report["status"], report["error"], report["releases"]) == ("failed", line, [])
    # In the middle.
    configure(project, 'steps = ["assemble", "hello.steps:wrong"]')
    (project / "hello" / "steps.py").write_text("def wrong(release):\n    return 1\n")
    line = failure(builder.build(project, HATCH_RELEASE_OVERWRITE="1", **AS_JSON))
    report = report_of(project)
    assert (report["status"], report["error"]) == ("failed", line)
    (told,) = report["releases"]
    assert (told["name"], told["status"], told["artifacts"], told["path"]) == ("hello", "failed", [], None)
    assert told["stages"][0]["title"] == "Building the wheel"
    # Metadata that is no metadata.
    replace(project, 'version = "1.0.0"', "version = 1")
    line = failure(builder.build(project, **AS_JSON))
    assert report_of(project)["error"] == line


def test_several_releases_are_told_one_by_one(builder: Builder, project: Path) -> None:
    configure(
        project,
        "[tool.hatch.build.targets.release.releases.one]\n[tool.hatch.build.targets.release.releases.two]\n"
        'steps = ["assemble", "hello.steps:wrong"]',
    )
    (project / "hello" / "steps.py").write_text("def wrong(release):\n    return 1\n")
    assert builder.build(project, target="release:one,two", **AS_JSON).returncode == 1
    report = report_of(project)
    assert [(each["name"], each["status"]) for each in report["releases"]] == [
        ("one", "succeeded"),
        ("two", "failed"),
    ]


def test_an_interruption_is_told(builder: Builder, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # `interrupted` starts the build itself, with this process's environment but for what steers builds.
    monkeypatch.setattr(
        "tests.builds.clean_environment",
        lambda **more: {
            **dict(os.environ),
            "HATCH_RELEASE_CACHE_DIR": os.environ["HATCH_RELEASE_CACHE_DIR"],
            **AS_JSON,
            **more,
        },
    )
    done = interrupted(
        builder,
        project,
        "Installing the dependencies",
        lambda process: os.killpg(process.pid, signal.SIGINT),
    )
    assert done.returncode == 130
    report = report_of(project)
    assert (report["status"], report["error"]) == ("interrupted", None)
    assert [each["status"] for each in report["releases"]] == ["interrupted"]


def test_a_report_that_can_t_be_written(builder: Builder, project: Path) -> None:
    (project / "taken").write_text("a file")
    line = failure(builder.build(project, HATCH_RELEASE_REPORT="taken/report.json"))
    assert line.startswith(f"HATCH_RELEASE_REPORT is {project}/taken/report.json, which can't be written: ")
    assert nothing_written(project)
    # What has failed says why, first of all.
    (project / "report.json").mkdir()
    replace(project, 'hello = "hello.__main__:main"', "")
    line = failure(builder.build(project, HATCH_RELEASE_REPORT="report.json"))
    assert "has no console script" in line


def test_the_command_prints_the_report(builder: Builder, project: Path) -> None:
    command = [str(builder.python.with_name("hatch-release")), "build", "--json"]

    def build() -> tuple[int, dict[str, Any], str]:
        done = subprocess.run(
            command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False
        )
        value: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, value, done.stderr

    code, report, _ = build()
    assert (code, report["status"], report["releases"][0]["version"]) == (0, "succeeded", "1.0.0")
    code, report, told = build()
    assert (code, report["status"]) == (1, "failed")
    assert "exists already" in report["error"]
    assert told.splitlines()[-1] == f"Error: {report['error']}"

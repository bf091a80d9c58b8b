"""What is said of a plugin that is wrong, or does what none may."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure, failure, greets, nothing_written
from tests.conftest import copy_fixture
from tests.own_plugins import HEAD, SAYING, built, install, with_plugin
from tests.trees import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder


# What is said of a plugin that is wrong


WHO = "plugin own_plugin (a module of the project)"
IN_RELEASE = f"release 'hello': {WHO}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "names 'own_plugin', whose import fails: ZeroDivisionError: division by zero"),
        ("import no_such", "names 'own_plugin', which can't be loaded from"),
        ("", f"{WHO} implements no hook: put @hookimpl before it"),
        (
            "def release_check(release): ...",
            f"{WHO} has a function release_check that is not marked: put @hookimpl before it",
        ),
        (
            "@hookimpl\ndef release_befor_step(release): ...",
            (
                f"{WHO} implements 'release_befor_step', which is no hook of hatch-release 0.1.0, did you mean "
                "'release_before_step'?"
            ),
        ),
        ("@hookimpl\ndef on_end(): ...", "'on_end', which is no hook of hatch-release 0.1.0: its hooks are "),
        (
            "@hookimpl\ndef release_before_step(relase): ...",
            (
                f"{WHO} implements release_before_step with the argument 'relase', which that hook of hatch-release "
                "0.1.0 doesn't have, did you mean 'release'?"
            ),
        ),
        (
            "@hookimpl\ndef release_steps(context): ...",
            "'context', which that hook of hatch-release 0.1.0 doesn't",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release): return []",
            f"{WHO} implements release_check by a wrapper that",
        ),
        (
            "@hookimpl\ndef release_steps(): return ['assemble']",
            f"{IN_RELEASE} gave ['assemble'] to release_steps",
        ),
        (
            "def own(release): return release\n@hookimpl\ndef release_steps(): return {'tar': own}",
            "release 'hello': the step 'tar' is given twice, by plugin own_plugin and plugin steps: disable one",
        ),
        (
            "@hookimpl\ndef release_archive_formats(): return {'zip': print}",
            "release 'hello': the archive format 'zip' is given twice, by plugin own_plugin and plugin archives",
        ),
        (
            "@hookimpl\ndef release_steps(): raise SystemExit(3)",
            f"{IN_RELEASE} failed in release_steps: SystemExit: 3",
        ),
    ],
)
def test_a_plugin_that_is_refused_before_anything_is_written(
    builder: Builder, project: Path, code: str, message: str
) -> None:
    with_plugin(project, code)
    done = builder.build(project)
    assert message in failure(done)
    assert done.stdout == ""
    assert nothing_written(project)


def test_a_hook_of_another_page_may_be_optional(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl(optionalhook=True)\ndef release_newer(anything): ...")
    assert built(builder, project)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('plugins = ["!nothing"]', "the option plugins disables 'nothing', which is no plugin of this build"),
        ('plugins = ["!tar"]', "disables 'tar', which is no plugin"),
        ('plugins = ["!steps"]', "the option plugins disables 'steps', which is built in"),
        ('plugins = ["own plugin"]', 'release.plugins[0]: expected a module, or "!NAME", found'),
        ('plugins = ["no_such_module"]', "names 'no_such_module', which can't be loaded"),
        ('steps = ["assembel", "assemble"]', "steps[0]: unknown step 'assembel', did you mean 'assemble'?"),
        ('steps = ["assemble", "sbom"]', "steps[1]: unknown step 'sbom', there are assemble, tar"),
        ('archive = "tar.zstd"', "archive: unknown archive format 'tar.zstd', did you mean 'tar.zst'?"),
        ('archive = "7z"', "release.archive: expected"),
        ('releases.hello.archive = "rar"', "releases.hello.archive: unknown archive format 'rar', "),
    ],
)
def test_a_name_that_no_plugin_has(builder: Builder, project: Path, options: str, message: str) -> None:
    assert message in failure(builder.build(configure(project, options)))
    assert nothing_written(project)


def test_an_installed_plugin_that_cannot_be_loaded_or_has_the_name_of_another(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    broken = install(tmp_path, "broken", "1 / 0")
    message = failure(builder.build(project, PYTHONPATH=broken))
    assert "plugin broken (broken 1.2) can't be loaded: ZeroDivisionError: division by zero" in message
    assert 'plugins = ["!broken"]' in message
    places = [install(tmp_path, name, SAYING, "shared") for name in ("one", "two")]
    message = failure(builder.build(project, PYTHONPATH=os.pathsep.join(places)))
    assert "two plugins are called 'shared', of one 1.2 and two 1.2" in message
    assert nothing_written(project)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "@hookimpl\ndef release_after_step(step): raise LookupError('no such\\nthing')",
            f"{IN_RELEASE} failed in release_after_step: LookupError: no such thing",
        ),
        (
            "@hookimpl\ndef release_before_step(release): raise ReleaseError('do this instead')",
            f"{IN_RELEASE} failed in release_before_step: do this instead",
        ),
        (
            "@hookimpl\ndef release_after_step(): return 5",
            f"{IN_RELEASE} gave 5 to release_after_step: expected nothing",
        ),
        (
            "@hookimpl\ndef release_overlays(): return ['etc']",
            "gave ['etc'] to release_overlays: expected a list of Ov",
        ),
        (
            "from pathlib import Path\n@hookimpl\ndef release_overlays(): return [Overlay(path=Path('missing'))]",
            f"{IN_RELEASE}: the overlay missing does not exist",
        ),
        (
            "@hookimpl\ndef release_check(): return ['one', 2]",
            "to release_check: expected nothing or a list of strings",
        ),
        (
            "@hookimpl\ndef release_commands(): return [Command(name='start', entry='hello:x')]",
            f"{IN_RELEASE}: the command 'start' has the name of one that every release has",
        ),
        (
            "@hookimpl\ndef release_commands(): return [Command(name='say', entry='helo:x')]",
            "the command 'say' is helo:x, and the release holds no module helo, did you mean 'hello'?",
        ),
        (
            "@hookimpl\ndef release_files(): return [FileRule(pattern='!', reason='')]",
            f"{IN_RELEASE}: the rule for '!' holds a wrong pattern",
        ),
        (
            "@hookimpl\ndef release_after_step(release): (release.path / 'bin/hello').unlink()",
            f"{IN_RELEASE} has removed bin/hello, which no release can do without",
        ),
        (
            "@hookimpl\ndef release_configure(release): release.name = 'other'",
            f"{IN_RELEASE} has changed the field name of the release, which is there to be read",
        ),
        (
            "@hookimpl\ndef release_after_step(release): release.artifacts.append(release.scratch / 'x')",
            "the artifacts of release 'hello' name ",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release):\n    yield\n    yield",
            "release 'hello': a wrapper of release_check: wrap_controller",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release):\n    yield\n    return 'all'",
            "release 'hello': a wrapper of release_check gave 'all'",
        ),
    ],
)
def test_a_plugin_that_fails_is_named_and_leaves_the_installed_release(
    builder: Builder, assembled: Path, code: str, message: str
) -> None:
    before = snapshot(assembled / "dist")
    (assembled / "own_plugin.py").write_text(HEAD + code, "utf-8")
    done = builder.build(assembled, HATCH_RELEASE_OVERWRITE="1")
    assert message in failure(done)
    assert snapshot(assembled / "dist") == before


@pytest.fixture(scope="module")
def assembled(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a plugin, whose release is there already."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("assembled"))
    with_plugin(project, SAYING, "check = false")
    builders[interpreters.running()].release(project)
    return project


def test_the_cause_is_shown_to_whom_wants_to_see_it(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl\ndef release_configure(): raise LookupError('here')")
    done = builder.build(project, HATCH_VERBOSE="1")
    assert "own_plugin.py" in done.stderr
    assert 'raise LookupError("here")' in done.stderr or "LookupError: here" in done.stderr


def test_a_plugin_that_moves_the_process_elsewhere_does_no_harm(builder: Builder, project: Path) -> None:
    with_plugin(
        project, "import os\n@hookimpl\ndef release_before_step():\n    os.chdir('/')\n    os.umask(0o777)"
    )
    built(builder, project)
    assert greets(project / "dist" / "release" / "hello")


def test_an_error_of_release_finished_leaves_what_was_delivered(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl\ndef release_finished(): raise OSError('no network')")
    assert f"{IN_RELEASE} failed in release_finished: OSError: no network" in failure(builder.build(project))
    assert greets(project / "dist" / "release" / "hello")

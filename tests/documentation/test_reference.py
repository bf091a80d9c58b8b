"""The reference names every command and variable, and what it shows to other programs is what these read."""

from __future__ import annotations

import importlib
import re

import pytest
import yaml

from docs.generator import api, blocks, commands
from tests.documentation.pages import DOCS, PAGES, rows
from tests.projects import ROOT

PACKAGE = ROOT / "hatch_release"
SOURCE = "\n".join(
    file.read_text("utf-8") for end in ("py", "j2") for file in sorted(PACKAGE.rglob(f"*.{end}"))
)
NOT_FOR_USERS = {"HATCH_RELEASE_NAME", "RELEASE_KEEPER"}
"""A pattern in docstrings, and what a keeper tells its own system."""
VARIABLES = sorted(
    set(re.findall(r"(?<![A-Za-z_])(?:RELEASE|HATCH_RELEASE)_[A-Z][A-Z_]*[A-Z](?![A-Za-z_{])", SOURCE))
)
STAGES = re.compile(r"^FROM \S+(?: AS (\w+))?$", re.MULTILINE)
INSTRUCTIONS = {
    "FROM",
    "RUN",
    "COPY",
    "WORKDIR",
    "ENV",
    "USER",
    "STOPSIGNAL",
    "ENTRYPOINT",
    "CMD",
    "HEALTHCHECK",
}


@pytest.mark.parametrize("name", [each.name for each in commands.launcher_commands()])
def test_every_command_of_a_release_is_explained(name: str) -> None:
    explained = " ".join(row[0] for row in rows(DOCS / "running.md"))
    assert re.search(rf"`{name}[ `]", explained)


@pytest.mark.parametrize("name", [name for name in VARIABLES if name not in NOT_FOR_USERS])
def test_every_variable_is_explained(name: str) -> None:
    assert any(name in page.read_text("utf-8") for page in PAGES)


def test_jobs_are_yaml_with_a_job() -> None:
    github, gitlab = (
        yaml.safe_load(each.text) for each in blocks.read(DOCS / "ci.md").blocks if each.language == "yaml"
    )
    steps = github["jobs"]["release"]["steps"]
    assert all(len({"uses", "run"} & step.keys()) == 1 for step in steps)
    # The door is the same, whoever runs the job.
    own = [step["run"] for step in steps if "run" in step]
    assert own == gitlab["release"]["script"]


def test_the_dockerfile_has_stages_that_it_copies_from() -> None:
    page = blocks.read(DOCS / "howto" / "docker.md")
    text = next(each.text for each in page.blocks if each.title.endswith("Dockerfile"))
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= INSTRUCTIONS
    stages = STAGES.findall(text)
    assert stages == ["build", ""]
    assert re.findall(r"--from=(\w+)", text) == ["build"]
    copied = re.search(r"COPY --from=build --chown=shop (\S+) (\S+)", text)
    assert copied
    assert copied[1] == "/build/dist/release/shop"
    assert f'ENTRYPOINT ["{copied[2]}/bin/shop"]' in lines


@pytest.mark.parametrize("part", [part for part in api.PARTS if part.names], ids=lambda part: part.module)
def test_the_reference_has_all_of_a_kit(part: api.Part) -> None:
    public = set(importlib.import_module(part.module).__all__)
    assert set(part.names) <= public
    assert part.module == "hatch_release" or set(part.names) == public

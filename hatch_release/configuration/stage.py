"""The stage that brings the configuration into the release."""

from __future__ import annotations

import difflib
import json
import shutil
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from hatch_release.configuration import files
from hatch_release.configuration.evaluation import evaluate
from hatch_release.options.kinds import PROVIDER, Place
from hatch_release.runtime import layout
from hatch_release.runtime.config import interpreter, plain
from hatch_release.runtime.config.provider import BUILT_IN
from hatch_release.runtime.payload import ConfigPlan
from hatch_release.tree.permissions import PLAIN, PRIVATE

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.configuration.evaluation import Evaluated

RUNTIME_FILE = "runtime"
"""The provider that runs the run-time configuration."""


def plan_configuration(assembly: Assembly) -> ConfigPlan | None:
    """Evaluate the configuration and write it -> releases/VSN/sys.config, runtime.py, consolidated/config.json.

    Args:
        assembly: Has its boot files.

    Returns:
        How it is loaded at boot; None when there is nothing to load.

    Raises:
        ReleaseError: When the configuration is wrong.
    """
    release, options = assembly.release, assembly.release.options
    found = files.build_time(release.project.root, options), files.run_time(release.project.root, options)
    providers = _providers(assembly, found[1])
    compiled = _compiled(assembly)
    if not (found[0] or providers or compiled):
        return None
    evaluated = evaluate(assembly, found, providers, compiled)
    if not (evaluated.values or providers or compiled):
        return None
    _warn(assembly, evaluated)
    _write(assembly, evaluated, found[1])
    return ConfigPlan(
        environment=evaluated.environment,
        providers=tuple((name, state) for name, state in evaluated.providers),
        compiled=tuple((tuple(path), value) for path, value in evaluated.compiled),
        validate=options.validate_compile_env,
        reboot=options.reboot_system_after_config,
        prune=options.prune_runtime_sys_config_after_boot,
        distribution=options.start_distribution_during_config,
        origins=_origins(assembly),
    )


def _providers(assembly: Assembly, runtime: Path | None) -> list[tuple[str, Any]]:
    """The config providers in order, each with its argument; the run-time configuration comes first."""
    release = assembly.release
    given = [*release.options.config_providers, *_checked(release.config_providers)]
    names = {**release.plugins.config_providers, **{name: name for name in BUILT_IN}}
    found = [(names.get(each["provider"], each["provider"]), each.get("init")) for each in given]
    if runtime is not None:
        copy = f"{layout.RELEASES}/{release.version}/{layout.RUNTIME_CONFIG}"
        found.insert(0, (RUNTIME_FILE, {"env": "RELEASE_ROOT", "path": copy}))
    return found


def _checked(added: list[Any]) -> list[dict[str, Any]]:
    """The providers that steps have added, which are written as those of the option."""
    place = Place("the release's config_providers")
    found = [PROVIDER.check(each, place.at(number)) for number, each in enumerate(added)]
    if place.problems:
        raise place.problems[0]
    return found


def _compiled(assembly: Assembly) -> list[tuple[str, ...]]:
    """What the modules of the release read with `compile_env`."""
    found: set[tuple[str, ...]] = set()
    for name, each in assembly.scanned.items():
        found.update(each.compile_env)
        if each.computed_env:
            assembly.release.progress.warn(
                f"{name} calls compile_env with an application or key that is no constant: what it reads is not "
                "checked at boot"
            )
    return sorted(found)


def _origins(assembly: Assembly) -> str:
    """The file that says what has set each value, relative to the root."""
    return f"{layout.RELEASES}/{assembly.release.version}/{layout.CONSOLIDATED}/{layout.CONFIG_ORIGINS}"


def _write(assembly: Assembly, evaluated: Evaluated, runtime: Path | None) -> None:
    """Write what is read at boot. What holds secrets is its owner's alone, as the cookie is."""
    release = assembly.release
    target = release.version_path / layout.SYS_CONFIG
    target.write_text(json.dumps(evaluated.values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    target.chmod(PRIVATE if evaluated.secrets else PLAIN)
    origins = release.path / _origins(assembly)
    origins.write_text(json.dumps(evaluated.origins) + "\n", encoding="utf-8")
    if runtime is not None:
        shutil.copyfile(runtime, release.version_path / layout.RUNTIME_CONFIG)
    options = interpreter.options(interpreter.settings(plain.decode(evaluated.values)))
    if options and all(map(_can_be_quoted, options)):
        _add_options(release.version_path / layout.VM_ARGS, options)


def _add_options(vm_args: Path, options: list[str]) -> None:
    """Let the launcher start the interpreter with the options that are configured for it."""
    quoted = " ".join(_quoted(each) for each in options)
    text = vm_args.read_text(encoding="utf-8")
    vm_args.write_text(
        f"{text}# What the build-time configuration sets for python:\n{quoted}\n", encoding="utf-8"
    )


def _can_be_quoted(word: str) -> bool:
    """Whether vm.args can hold a word; else the boot file sees to it that the interpreter gets it."""
    return word.isprintable() and not ('"' in word and "'" in word)


def _quoted(word: str) -> str:
    return f"'{word}'" if '"' in word else f'"{word}"' if any(each in word for each in " '#\t") else word


def _warn(assembly: Assembly, evaluated: Evaluated) -> None:
    """Warn of configuration for what isn't there, and of secrets that everybody can read."""
    sources = {tuple(path): source for path, source in evaluated.origins}
    known = _known(assembly)
    for name in evaluated.values:
        if canonicalize_name(name) not in known:
            close = difflib.get_close_matches(canonicalize_name(name), known, 1)
            hint = (
                f": did you mean '{known[close[0]]}'?" if close else ", and nothing in it has a similar name"
            )
            where = next((source for path, source in sources.items() if path[0] == name), "the configuration")
            assembly.release.progress.warn(f"{where} configures '{name}', which is not in the release{hint}")
    for path in evaluated.secrets:
        where = sources.get(tuple(path), "the configuration")
        assembly.release.progress.warn(
            f"{where} writes the secret {'.'.join(path)} into the release: set it in the run-time configuration instead"
        )


def _known(assembly: Assembly) -> dict[str, str]:
    """The names that may be configured, as they are compared and as they are spelt."""
    modules = assembly.index(*assembly.library_directories).modules
    names = (
        interpreter.APPLICATION,
        *assembly.distributions,
        *assembly.applications,
        *{name.partition(".")[0] for name in modules},
    )
    return {canonicalize_name(name): name for name in reversed(names)}

"""Which modules embedded mode imports before anything starts."""

from __future__ import annotations

import pytest

from hatch_release.applications.preloading import Preloader
from hatch_release.errors import ReleaseError
from hatch_release.tree.boot_index import ModuleFile

MODULES = {
    "shop": ModuleFile("lib/shop-1", "/__init__.pyc"),
    "shop.__main__": ModuleFile("lib/shop-1", ".pyc"),
    "shop.admin": ModuleFile("lib/shop-1", ".pyc"),
    "shop.web": ModuleFile("lib/shop-1", "/__init__.pyc"),
    "shop.web.views": ModuleFile("lib/shop-1", ".py"),
    "shop.web.tests.test_views": ModuleFile("lib/shop-1", ".pyc"),
    "shop.fast": ModuleFile("lib/shop-1", ".cpython-311-x86_64-linux-gnu.so"),
    "other": ModuleFile("lib/other-1", ".pyc"),
    "other_hidden": ModuleFile("lib/hidden-1", ".pyc"),
}
SHOP = [name for name in MODULES if name.startswith("shop")]


@pytest.mark.parametrize(
    ("patterns", "without", "more"),
    [
        ((), (), ()),
        (["!shop/admin.py"], ["shop.admin"], ()),
        (["!shop/web/"], ["shop.web", "shop.web.views"], ()),
        (["!shop/web/__init__.py"], ["shop.web"], ()),
        (["!fast*"], ["shop.fast"], ()),
        (["other*.py"], (), ["other"]),
        (["*.py", "!/shop"], ["shop", "shop.admin", "shop.fast", "shop.web", "shop.web.views"], ["other"]),
        (["!shop/*", "shop/admin.py"], ["shop", "shop.fast", "shop.web", "shop.web.views"], ()),
        (["tests/", "# other.py", ""], (), ["shop.web.tests.test_views"]),
    ],
)
def test_what_is_preloaded(patterns: list[str], without: list[str], more: list[str]) -> None:
    usual = {"shop", "shop.admin", "shop.fast", "shop.web", "shop.web.views"}
    chosen = Preloader(patterns, MODULES).choose(SHOP, out={"other_hidden"})
    assert list(chosen) == sorted((usual - {*without}) | {*more})


def test_patterns_that_fit_nothing() -> None:
    lines = ["shop/", "!shop/admin.py", "!shop/amdin.py", "nothing", "# none"]
    assert list(Preloader(lines, MODULES).idle()) == ["!shop/amdin.py", "nothing"]


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(ReleaseError, match="the option preload holds a wrong pattern"):
        Preloader(["!!"], MODULES)

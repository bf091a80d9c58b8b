"""What runs an application: its code is imported, and its shape recognised."""

from __future__ import annotations

from ..errors import ReleaseError
from . import shapes
from .running import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..payload import ApplicationSpec
    from .host import Host
    from .running import Running


class LoadError(ReleaseError):
    """An application can't be imported; the cause tells why."""


def make(host: Host, spec: ApplicationSpec) -> Running:
    """What runs an application, not started yet.

    Args:
        host: What it runs on.
        spec: What the boot file says about it.

    Raises:
        LoadError: When it can't be imported.
        ReleaseError: When it is nothing that can be started.
    """
    if spec["kind"] == "command":
        from .child import Child

        return Child(host, spec)
    try:
        target = shapes.resolve(spec["start"])
    except (KeyboardInterrupt, ReleaseError):
        raise
    except BaseException as error:
        raise LoadError(f"the application {spec['name']} can't be loaded from {spec['start']}") from error
    return KINDS[shapes.shape_of(target, spec["start"])](host, spec, target)

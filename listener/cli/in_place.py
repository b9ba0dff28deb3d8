"""Putting a file in the place of another, whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from listener.domain.errors import UsageError


def replace_file(path: Path, *, before: bytes, after: bytes) -> None:
    """Write `after` where `before` stands; a link stays a link, owner and mode stay.

    Raises `UsageError` if the file has changed meanwhile, or cannot be written. Then it is as it was.
    """
    target = path.resolve()
    try:
        if target.read_bytes() != before:
            raise UsageError(
                f"{path} was changed by somebody else at the same moment; nothing was written, run it again"
            )
        _swap(target, after)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); check the owner of it and of its folder"
        ) from error


def _swap(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, name)
        with contextlib.suppress(
            PermissionError
        ):  # only root may give files away; then the folder's owner is us anyway
            os.chown(name, target.stat().st_uid, target.stat().st_gid)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

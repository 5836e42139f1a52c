"""The instance: tells a service that is started again from one that runs on a copy of its data.

Legs that a crash has left up are hung up by the next start. A copy of the data folder, started
elsewhere, must not hang up those of the original, which may be talking on them.
"""

import fcntl
import hashlib
import os
import struct
from pathlib import Path

from callwright.config import SipSettings
from callwright.engines.sip.transport.own_address import own_address

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
# Linux, <linux/fs.h>: FS_IOC_GETVERSION, which the fcntl module lacks. ext4, XFS and Btrfs give
# each inode a number by chance, so one that is made anew differs even with the same inode number.
_GENERATION = 0x80087601


def instance_of(folder: Path, sip: SipSettings) -> str:
    """Name the instance that runs on a data folder: the same after a restart, another of a copy.

    It is made of the machine, the folder itself (and not its path), and the address our SIP comes
    from, so that neither a copy of files, nor a clone of the disk on another machine or at another
    address has it. Where one of them changes, nothing worse happens than that calls cut off by a
    crash are left to their session timers.
    """
    host = str(sip.host)
    facts = (
        _machine(),
        *_identity_of(folder),
        host,
        str(sip.advertise or own_address(host)),
        sip.port,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _machine() -> str:
    for file in _MACHINE_IDS:
        try:
            return file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""  # as in most containers


def _identity_of(folder: Path) -> tuple[int, int]:
    """Give the inode of a folder, and its generation where the file system tells it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inode = os.fstat(descriptor).st_ino
        try:
            [generation] = struct.unpack_from("=I", fcntl.ioctl(descriptor, _GENERATION, bytes(8)))
        except OSError:
            generation = 0
        return inode, generation
    finally:
        os.close(descriptor)

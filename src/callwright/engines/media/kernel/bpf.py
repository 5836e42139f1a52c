"""The system call bpf(2): maps, programs and links of eBPF, as far as they are needed here.

What is made here is a file descriptor, and lives as long as that is open: nothing of a process that
has died, however it died, stays in the kernel.
"""

import ctypes
import os
import platform
from struct import Struct

_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
"Of the system call, by machine."
_MAP_CREATE, _MAP_UPDATE, _MAP_DELETE, _PROG_LOAD, _LINK_CREATE = 0, 2, 3, 5, 28
_MAPPABLE = 0x400
"Flag of a map whose values this process may have in its memory (BPF_F_MMAPABLE)."
_HASH, _ARRAY = 1, 2
_CLASSIFIER = 3
"Kind of a program that looks at packets (BPF_PROG_TYPE_SCHED_CLS)."
_INGRESS = 46
"Where it does: at a device's arrivals (BPF_TCX_INGRESS, Linux 6.6)."

_NAMED_MAP = Struct("=IIIIIII16s")
_ELEMENT = Struct("=I4xQQQ")
_PROGRAM = Struct("=IIQQIIQII16sII")
_LINK = Struct("=IIIIIIQ")

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYSCALL = _LIBC.syscall


def _bpf(command: int, attributes: bytes) -> int:
    """Raises OSError."""
    number = _NUMBERS.get(platform.machine())
    if number is None:
        raise OSError(0, f"bpf(2) has no known number on {platform.machine()}")
    result: int = _SYSCALL(number, command, attributes, len(attributes))
    if result < 0:
        fault = ctypes.get_errno()
        raise OSError(fault, os.strerror(fault))
    return result


def make_array(name: str, *, size: int, count: int) -> int:
    """Make a map of ``count`` values by number, to be mapped into memory; return its descriptor.

    ``size``: bytes of a value, a multiple of 8. Raises OSError.
    """
    made = _NAMED_MAP.pack(_ARRAY, 4, size, count, _MAPPABLE, 0, 0, name.encode())
    return _bpf(_MAP_CREATE, made)


def load(name: str, instructions: bytes) -> int:
    """Have a program checked and compiled by the kernel; return its descriptor.

    Raises OSError; for a program that the kernel does not believe to be safe (EACCES, EINVAL), the
    message is the end of what it says.
    """
    said = ctypes.create_string_buffer(1 << 20)
    code, license_ = ctypes.create_string_buffer(instructions), ctypes.c_char_p(b"Apache-2.0")
    where = ctypes.cast(license_, ctypes.c_void_p).value or 0

    def attributes(log_level: int) -> bytes:
        log = (log_level, len(said), ctypes.addressof(said)) if log_level else (0, 0, 0)
        count = len(instructions) // 8
        at = ctypes.addressof(code)
        return _PROGRAM.pack(_CLASSIFIER, count, at, where, *log, 0, 0, name.encode(), 0, _INGRESS)

    try:
        return _bpf(_PROG_LOAD, attributes(0))
    except OSError as fault:
        refusal = fault
    try:
        return _bpf(_PROG_LOAD, attributes(1))
    except OSError:
        told = said.value.decode(errors="replace").strip()[-2000:]
        raise OSError(refusal.errno, told or refusal.strerror) from refusal


def attach(program: int, device: int) -> int:
    """Let a program see what comes in on a device, by number; return the link's descriptor.

    What it says nothing of goes on as if it were not there. Closed, the link is gone. Raises
    OSError: EINVAL before Linux 6.6.
    """
    made = _LINK.pack(program, device, _INGRESS, 0, 0, 0, 0)
    return _bpf(_LINK_CREATE, made)


class HashMap:
    """A map by keys. What it is asked allocates nothing."""

    def __init__(self, name: str, *, key: int, value: int, count: int) -> None:
        """``key``, ``value``: their bytes. ``count``: of elements, at most. Raises OSError."""
        made = _NAMED_MAP.pack(_HASH, key, value, count, 0, 0, 0, name.encode())
        self.descriptor = _bpf(_MAP_CREATE, made)
        self._key = ctypes.create_string_buffer(key)
        self._value = ctypes.create_string_buffer(value)
        at = ctypes.addressof(self._key), ctypes.addressof(self._value)
        self._element = _ELEMENT.pack(self.descriptor, *at, 0)
        self._place = _ELEMENT.pack(self.descriptor, at[0], 0, 0)

    def put(self, key: bytes, value: bytes) -> None:
        """Raises OSError: E2BIG if the map is full."""
        self._key.raw, self._value.raw = key, value
        _bpf(_MAP_UPDATE, self._element)

    def remove(self, key: bytes) -> None:
        """Raises OSError: ENOENT if the key is not there."""
        self._key.raw = key
        _bpf(_MAP_DELETE, self._place)

    def close(self) -> None:
        os.close(self.descriptor)

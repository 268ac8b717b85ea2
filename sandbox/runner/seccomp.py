"""Seccomp: which system calls a process may still make. A list of what is allowed; it cannot be undone.

Landlock guards files as they are opened. Everything else that a process could do to others of the same user, or to the kernel, is
refused here: network, new processes and programs, signals, limits and priorities of others, mounts, namespaces, tracing, keys,
io_uring, memory that no limit counts.
"""
import ctypes
import errno
import os
import platform
import struct

from . import libc
from .system_calls import ALLOWED, FIRST_RECENT, NUMBERS, PRETENDED, UNKNOWN

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE = _ERROR | errno.EPERM
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16

_CLONE_THREAD = 0x00010000
_CLONE_NEW_NAMESPACES = 0x7E020080
_SOCK_TYPE_MASK = 0xF
_SOCK_STREAM = 1
_AF_UNIX = 1
# Who is told, by which signal, when a file is ready; leases and watches of files and folders.
_FCNTL_REFUSED = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
_PRCTL_ALLOWED = (3, 15, 16, 23, 0x53564D41)  # PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_VMA


def is_available():
    return platform.machine() in NUMBERS


def restrict():
    """For this thread and all that it starts. `no_new_privs` must be set."""
    program = b"".join(struct.pack("HBBI", *each) for each in _program())
    buffer = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def _program():
    machine = platform.machine()
    numbers = NUMBERS[machine]
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program += [(_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    for names, answer in ((ALLOWED, _ALLOW), (PRETENDED, _ERROR), (UNKNOWN, _ERROR | errno.ENOSYS)):
        for name in names:
            if name in numbers:
                program += [(_JUMP_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, answer)]
    for name, body in _checks().items():
        if name in numbers:
            program += [(_JUMP_EQUAL, 0, len(body), numbers[name]), *body]
    return program + [
        (_JUMP_GREATER_EQUAL, 0, 1, FIRST_RECENT),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_RETURN, 0, 0, _REFUSE),
    ]


def _checks():
    """Calls that are allowed with some arguments only."""
    me = os.getpid()
    return {
        # New threads, and never a new process.
        "clone": [
            _load(0),
            (_JUMP_ANY_BIT, 0, 1, _CLONE_NEW_NAMESPACES),
            (_RETURN, 0, 0, _REFUSE),
            (_JUMP_ANY_BIT, 0, 1, _CLONE_THREAD),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ],
        "kill": _one_of(0, (me,)),
        "tgkill": _one_of(0, (me,)),
        "prlimit64": _one_of(0, (0, me)),
        "sched_setaffinity": _one_of(0, (0, me)),
        "fcntl": _none_of(1, _FCNTL_REFUSED),
        "ioctl": _one_of(1, _IOCTL_ALLOWED, _ERROR | errno.ENOTTY),
        "prctl": _one_of(0, _PRCTL_ALLOWED),
        # asyncio wakes itself through a pair. One of datagrams could be pointed at any other socket of the machine.
        "socketpair": [
            _load(0),
            (_JUMP_EQUAL, 0, 3, _AF_UNIX),
            _load(1),
            (_AND, 0, 0, _SOCK_TYPE_MASK),
            (_JUMP_EQUAL, 1, 0, _SOCK_STREAM),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ],
        "open": _no_truncating_read(1),
        "openat": _no_truncating_read(2),
    }


def _load(argument):
    """The lower half: all that the kernel looks at of these arguments."""
    return (_LOAD, 0, 0, _FIRST_ARGUMENT + 8 * argument)


def _one_of(argument, values, otherwise=_REFUSE):
    tests = [(_JUMP_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load(argument), *tests, (_RETURN, 0, 0, otherwise), (_RETURN, 0, 0, _ALLOW)]


def _none_of(argument, values):
    tests = [(_JUMP_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load(argument), *tests, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]


def _no_truncating_read(argument):
    """Opening for reading and truncating at once: Landlock took it for reading before its version 3."""
    return [
        _load(argument),
        (_AND, 0, 0, os.O_ACCMODE | os.O_TRUNC),
        (_JUMP_EQUAL, 0, 1, os.O_RDONLY | os.O_TRUNC),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]

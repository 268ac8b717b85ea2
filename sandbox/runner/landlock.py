"""Landlock: which files a process may still open, by the folders they are in. It cannot be undone."""
import ctypes
import os
import stat
import struct

from . import libc

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_CHAR = 1 << 6
_MAKE_DIR = 1 << 7
_MAKE_REG = 1 << 8
_MAKE_SOCK = 1 << 9
_MAKE_FIFO = 1 << 10
_MAKE_BLOCK = 1 << 11
_MAKE_SYM = 1 << 12
_REFER = 1 << 13  # from version 2
_TRUNCATE = 1 << 14  # from version 3
_IOCTL_DEV = 1 << 15  # from version 5
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_NET_BIND_AND_CONNECT_TCP = 3  # from version 4
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3  # from version 6

READ = _READ_FILE | _READ_DIR
WRITE_DEVICE = _READ_FILE | _WRITE_FILE
# No execution, and nothing that is not a file, a folder or a symbolic link.
READ_AND_WRITE = (
    READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _REFER | _TRUNCATE
)


def version():
    """0 when the kernel has none."""
    try:
        return libc.system_call(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(rules):
    """`rules` are pairs of a path and what may be done beneath it. Paths that do not exist are left out."""
    abi = version()
    handled = _handled(abi)
    net = _NET_BIND_AND_CONNECT_TCP if abi >= 4 else 0
    scoped = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", handled, net, scoped)[:size]
    ruleset = libc.system_call(_CREATE_RULESET, attributes, size, 0)
    try:
        for path, access in rules:
            _allow(ruleset, path, access & handled)
        libc.system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _handled(abi):
    handled = (_MAKE_SYM << 1) - 1
    if abi >= 2:
        handled |= _REFER
    if abi >= 3:
        handled |= _TRUNCATE
    if abi >= 5:
        handled |= _IOCTL_DEV
    return handled


def _allow(ruleset, path, access):
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            access &= _FOR_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, fd), 12)
        libc.system_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)

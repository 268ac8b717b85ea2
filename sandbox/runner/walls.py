"""What a container keeps from all that is in it, found out from inside and without any jail around."""
import ctypes
import os
import socket

from . import libc

_READ_ALL = 3
_LOG_BYTES = 65536
_GVISOR = b"Starting gVisor"
_PR_GET_NO_NEW_PRIVS = 39
_ALLOWED_TO_WRITE = ("/mnt/data", "/tmp")
# The kernel's own, which has nothing to keep.
_KERNEL = ("/proc", "/sys", "/dev/pts")


def found():
    return {
        "kernel": _kernel(),
        "root": os.getuid() == 0 or os.geteuid() == 0,
        "capabilities": any(libc.has_capability(each) for each in range(64)),
        "newPrivileges": ctypes.CDLL(None).prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1,
        "network": [name for _, name in socket.if_nameindex() if name != "lo"],
        "writable": list(_writable()),
    }


def _kernel():
    """gVisor says so in the log of its kernel, which is its own."""
    buffer = ctypes.create_string_buffer(_LOG_BYTES)
    length = ctypes.CDLL(None).klogctl(_READ_ALL, buffer, _LOG_BYTES)
    return "gvisor" if length > 0 and _GVISOR in buffer.raw[:length] else "linux"


def _writable():
    """Places of file systems where something can be kept and should not."""
    if not os.statvfs("/").f_flag & os.ST_RDONLY:
        yield "/"
    with open("/proc/mounts") as reader:
        places = [line.split()[1] for line in reader]
    for place in dict.fromkeys(places):
        is_known = place in _ALLOWED_TO_WRITE or any(f"{place}/".startswith(f"{each}/") for each in _KERNEL)
        if not is_known and _can_write(place):
            yield place


def _can_write(folder):
    path = os.path.join(folder, ".durable-assistants-walls")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    os.unlink(path)
    return True

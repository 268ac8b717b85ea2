"""Locks this process down for good, before it runs the first line of somebody's code."""
import contextlib
import os
import resource
import signal

from . import landlock, libc, seccomp

_DEVICES_TO_WRITE = ("/dev/null", "/dev/zero", "/dev/full")
_DEVICES_TO_READ = ("/dev/random", "/dev/urandom")
_STACK_BYTES = 8 * 1024 * 1024
_OPEN_FILES = 256
_PENDING_SIGNALS = 128
# gVisor has no queues, priorities or memory of its own kernel that these would bound, and refuses them.
_UNKNOWN_TO_GVISOR = ("MSGQUEUE", "NICE", "RTPRIO", "SIGPENDING")
_LOW_PRIORITY = 5
_FIRST_TO_DIE = "1000"


def prepare(limits, nproc):
    """What has to be done while /proc can be seen and limits may be chosen."""
    with open("/proc/self/oom_score_adj", "w") as writer:
        writer.write(_FIRST_TO_DIE)
    os.nice(_LOW_PRIORITY)
    os.umask(0o077)
    memory = _address_space() + limits["memoryBytes"]
    for name, most in (
        ("AS", memory),
        ("CORE", 0),
        ("FSIZE", limits["diskBytes"]),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
        ("NICE", 0),
        ("NOFILE", _OPEN_FILES),
        ("NPROC", nproc),
        ("RTPRIO", 0),
        ("SIGPENDING", _PENDING_SIGNALS),
        ("STACK", _STACK_BYTES),
    ):
        with contextlib.suppress(ValueError if name in _UNKNOWN_TO_GVISOR else ()):
            _bound(getattr(resource, f"RLIMIT_{name}"), most)


def lock_down(owner, parent, rules):
    """Gives up all rights. `owner` is a user to become, or None. `rules` are for Landlock; none when the kernel has none."""
    libc.drop_bounding_set()
    if owner is not None:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
    libc.drop_capabilities()
    if parent is not None:
        libc.die_with_parent(parent, signal.SIGKILL)
    libc.forbid_new_privileges()
    if rules is not None:
        landlock.restrict(rules)
    seccomp.restrict()


def rules_for(readable, writable):
    """Python, libraries and devices, and the folders of the session."""
    return [
        *[(path, landlock.READ) for path in (*readable, *_DEVICES_TO_READ)],
        *[(path, landlock.WRITE_DEVICE) for path in _DEVICES_TO_WRITE],
        *[(path, landlock.READ_AND_WRITE) for path in writable],
    ]


def _bound(kind, most):
    """What is bounded more tightly already stays so."""
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, least))


def _address_space():
    """What this process has reserved already, most of it for libraries that all sessions share. In bytes."""
    with open("/proc/self/statm") as reader:
        return int(reader.read().split()[0]) * resource.getpagesize()

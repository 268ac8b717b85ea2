"""The few calls of the kernel that Python has no function for."""
import ctypes
import os
import platform

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_NUMBERS = {
    "x86_64": {"capset": 126, "capget": 125, "pivot_root": 155},
    "aarch64": {"capset": 91, "capget": 90, "pivot_root": 41},
}
_LAST_CAPABILITY = 63
CAP_SYS_ADMIN = 21


def call(name, *arguments):
    """A function of libc that returns -1 when it fails."""
    result = getattr(_libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def system_call(number, *arguments):
    """Arguments that are numbers are passed as long, whatever their size."""
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return call("syscall", ctypes.c_long(number), *wide)


def number_of(name):
    return _NUMBERS[platform.machine()][name]


def prctl(option, *arguments):
    wide = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:4]]
    return call("prctl", option, *wide)


def die_with_parent(parent, signal_number):
    """Has the kernel send a signal when the parent, whose id was taken before the fork, ends. Any change of user undoes it."""
    prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os._exit(1)


def unshare(flags):
    call("unshare", flags)


def setns(fd, kind):
    call("setns", fd, kind)


def mount(source, target, kind, flags, options=None):
    call("mount", _bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options))


def unmount(target):
    """Takes the mount out of sight at once; what still uses it goes on."""
    call("umount2", _bytes(target), _MNT_DETACH)


def pivot_root(new_root, old_root):
    system_call(number_of("pivot_root"), _bytes(new_root), _bytes(old_root))


def has_capability(capability):
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    system_call(number_of("capget"), header, data)
    effective = data[0] | data[3] << 32
    return bool(effective >> capability & 1)


def drop_bounding_set():
    """What no program that is started later can have. Needs CAP_SETPCAP; a process without has nothing to lose."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            pass  # past the last one that this kernel knows, or not allowed


def drop_capabilities():
    try:
        prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    except OSError:
        pass
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    system_call(number_of("capset"), header, (ctypes.c_uint32 * 6)())


def forbid_new_privileges():
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _bytes(text):
    return None if text is None else os.fsencode(text)

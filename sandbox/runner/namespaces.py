"""Namespaces: a file tree of its own, without network, other processes or shared memory.

The zygote enters its own first (`enter`), puts the tree together that every session sees (`build_root`), and each session makes a
copy with a folder of bounded size (`enter_session`). Root needs no user namespace for it, others make one.
"""
import os
import socket

from . import libc

_OUTER = libc.CLONE_NEWNS | libc.CLONE_NEWPID | libc.CLONE_NEWNET | libc.CLONE_NEWIPC | libc.CLONE_NEWUTS
_OF_SESSION = libc.CLONE_NEWNS | libc.CLONE_NEWIPC | libc.CLONE_NEWUTS
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_NAME = "sandbox"
_ID_INSIDE = 1000
_ROOT_SIZE = "size=1m,mode=755"


def enter():
    """For this process, and from its next child on. Returns whether a user namespace was needed."""
    needs_user = not libc.has_capability(libc.CAP_SYS_ADMIN)
    uid, gid = os.geteuid(), os.getegid()
    libc.unshare(_OUTER | (libc.CLONE_NEWUSER if needs_user else 0))
    if needs_user:
        _map_user(uid, uid, gid, gid)
    _hide_mounts_from_others()
    socket.sethostname(_NAME)
    return needs_user


def build_root(root, readable):
    """Mounts on the folder `root` what a session may see: the paths of `readable`, to be read only, some devices, empty folders."""
    libc.mount("sandbox", root, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, _ROOT_SIZE)
    for path in readable:
        _show(path, root + path)
    for device in _DEVICES:
        _bind_file(device, root + device)
    for folder in ("/session", "/mnt/data", "/tmp"):
        os.makedirs(root + folder, exist_ok=True)
    _remount(root, libc.MS_RDONLY | libc.MS_NOSUID | libc.MS_NODEV)


def enter_session(root, limits, owner):
    """`owner` is the user that the session will be, or None when a user namespace hides who it is."""
    uid, gid = os.geteuid(), os.getegid()
    libc.unshare(_OF_SESSION | (libc.CLONE_NEWUSER if owner is None else 0))
    if owner is None:
        _map_user(_ID_INSIDE, uid, _ID_INSIDE, gid)
    _hide_mounts_from_others()
    # The copy of a mount that came from outside may not become the root. One made here may.
    libc.mount(root, root, None, libc.MS_BIND | libc.MS_REC)
    _mount_folders(root, limits, owner)
    os.chdir(root)
    libc.pivot_root(".", ".")
    libc.unmount(".")
    os.chdir("/")


def _mount_folders(root, limits, owner):
    """Both folders are in one file system, so that they share its bounds."""
    quota = root + "/session"
    options = f"size={limits['diskBytes']},nr_inodes={limits['maxFiles']},mode=755"
    flags = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC
    libc.mount("session", quota, "tmpfs", flags, options)
    for name, target in (("data", "/mnt/data"), ("tmp", "/tmp")):
        os.mkdir(f"{quota}/{name}", 0o700)
        if owner is not None:
            os.chown(f"{quota}/{name}", owner, owner)
        libc.mount(f"{quota}/{name}", root + target, None, libc.MS_BIND)
    libc.unmount(quota)


def _show(path, target):
    if os.path.islink(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.lexists(target):
            os.symlink(os.readlink(path), target)
    elif os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
        libc.mount(path, target, None, libc.MS_BIND)
        _remount(target, libc.MS_RDONLY | libc.MS_NOSUID | libc.MS_NODEV)
    elif os.path.exists(path):
        _bind_file(path, target)
        _remount(target, libc.MS_RDONLY | libc.MS_NOSUID | libc.MS_NODEV)


def _bind_file(path, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o600))
    libc.mount(path, target, None, libc.MS_BIND)


def _remount(target, flags):
    """Keeps that nothing there may be executed, which a user namespace is not allowed to take away."""
    if os.statvfs(target).f_flag & os.ST_NOEXEC:
        flags |= libc.MS_NOEXEC
    libc.mount(None, target, None, libc.MS_BIND | libc.MS_REMOUNT | flags)


def _hide_mounts_from_others():
    libc.mount(None, "/", None, libc.MS_REC | libc.MS_PRIVATE)


def _map_user(uid_inside, uid, gid_inside, gid):
    for file, line in (("setgroups", "deny"), ("uid_map", f"{uid_inside} {uid} 1"), ("gid_map", f"{gid_inside} {gid} 1")):
        with open(f"/proc/self/{file}", "w") as writer:
            writer.write(line)

"""Loads the large libraries once and forks a process for each session, which then costs little time and memory of its own.

Runs no code of others. Takes orders from the server as lines of JSON on standard input, and tells on standard output which
sessions have ended, and why. When the server is gone, it ends, and with it all sessions.
"""
import json
import os
import select
import socket
import stat
import sys

from . import folders, jail, landlock, libc, libraries, namespaces, readable
from .child import WATCH_SECONDS, Child
from .path_names import DATA, PathNames
from .session import Session

_READ_BYTES = 65536
_CHANNEL = 3
# An image of a container may have a link at /mnt/data to this, so that the folder is there without any mount.
_DATA_FD = 99
_LINK_TO_DATA = f"/proc/self/fd/{_DATA_FD}"
# Tasks of a user who has other processes, too, on top of those that he has now.
_MORE_TASKS = 256


class Zygote:
    def __init__(self, settings, reports, needs_user_namespace):
        self._settings = settings
        self._reports = reports
        self._namespaces = settings["isolation"] == "namespaces"
        self._needs_user_namespace = needs_user_namespace
        self._readable = readable.paths()
        self._own_users = os.geteuid() == 0 and (self._namespaces or self._others_can_work())
        self._own_process_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._root = os.path.join(settings["folder"], "root")
        self._children = {}

    def serve(self):
        libraries.load(self._settings["preload"])
        if self._namespaces:
            os.makedirs(self._root, exist_ok=True)
            namespaces.build_root(self._root, self._readable)
        self._tell(ready={"python": sys.version.split()[0], "landlock": landlock.version(), "ownUsers": self._own_users})
        orders = _Orders()
        while True:
            self._wait(orders)
            for order in orders.take():
                self._obey(order)
            if orders.ended:
                return
            self._reap()
            self._watch()

    def _others_can_work(self):
        """Whether users who have no rights here could run Python in a folder of theirs. With namespaces the way there is made."""
        return _all_may_read(self._readable) and _all_may_enter(self._settings["folder"])

    def _tell(self, **report):
        os.write(self._reports, json.dumps(report).encode() + b"\n")

    def _wait(self, orders):
        poll = select.poll()
        poll.register(orders.fd, select.POLLIN)
        for child in self._children.values():
            poll.register(child.ended, select.POLLIN)
        watched = any(child.computes for child in self._children.values())
        poll.poll(WATCH_SECONDS * 1000 if watched else None)

    def _obey(self, order):
        if order["do"] == "create":
            self._create(order)
            return
        if order["do"] == "tidy":
            self._tell(removed=folders.remove_abandoned(os.path.dirname(self._settings["folder"])))
            return
        child = self._children.get(order["id"])
        if child is not None:
            getattr(child, order["do"])()

    def _create(self, order):
        folder = None if self._namespaces else os.path.join(self._settings["folder"], str(order["id"]))
        parent = None if self._namespaces else os.getpid()
        try:
            pid = self._fork()
        except OSError:
            # The machine has no more processes, namespaces or memory to give.
            self._tell(ended={"id": order["id"], "reason": "exited"})
            return
        if pid == 0:
            self._become_session(order, folder, parent)
        self._children[order["id"]] = _Child(pid, order["limits"], folder)

    def _fork(self):
        """With namespaces the child is the first process of its own."""
        if not self._namespaces:
            return os.fork()
        libc.unshare(libc.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                libc.setns(self._own_process_namespace, libc.CLONE_NEWPID)
        return pid

    def _become_session(self, order, folder, parent):
        """Never returns."""
        try:
            self._open_channel(order["token"])
            owner = self._settings["uidBase"] + order["slot"] if self._own_users else None
            path_names = self._enter(order["limits"], folder, owner, parent)
            libraries.forget_the_runner()
            Session(_CHANNEL, _CHANNEL, order["limits"], os.getcwd(), path_names).serve()
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
            os.write(_CHANNEL, json.dumps({"type": "broken", "message": message}).encode() + b"\n")
        finally:
            os._exit(0)

    def _open_channel(self, token):
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.connect(self._settings["socket"])
        os.dup2(channel.detach(), _CHANNEL, inheritable=False)
        os.closerange(_CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.write(_CHANNEL, json.dumps({"type": "hello", "token": token}).encode() + b"\n")

    def _enter(self, limits, folder, owner, parent):
        threads = limits["threads"]
        shares_user = not self._namespaces and owner is None
        jail.prepare(limits, _tasks_of_user() + _MORE_TASKS if shares_user else threads)
        if self._namespaces:
            namespaces.enter_session(self._root, limits, None if self._needs_user_namespace else owner)
            owner = None if self._needs_user_namespace else owner
            readable, writable, path_names = ["/"], [DATA, "/tmp"], None
            os.chdir(DATA)
        else:
            readable = self._readable
            writable, path_names = _make_folders(folder, owner)
        libraries.begin_anew(writable[1])
        rules = jail.rules_for(readable, writable) if landlock.version() > 0 else None
        if rules is None and not self._namespaces:
            raise RuntimeError("this kernel has no Landlock")
        jail.lock_down(owner, parent, rules)
        return path_names

    def _reap(self):
        for identity, child in list(self._children.items()):
            status = child.status()
            if status is None:
                continue
            del self._children[identity]
            child.close()
            self._tell(ended={"id": identity, "reason": child.reason(status)})

    def _watch(self):
        for child in self._children.values():
            if child.computes:
                child.check()


class _Child(Child):
    """A session of ours, with its folder if it has one."""

    def __init__(self, pid, limits, folder):
        super().__init__(pid, limits, None if folder is None else self._measure)
        self._folder = folder
        self._most_files = limits["maxFiles"]
        self.computes = True

    def _measure(self):
        return folders.usage(self._folder, self.pid, self._most_files)

    def close(self):
        super().close()
        if self._folder is not None:
            try:
                folders.remove(self._folder)
            except OSError:
                pass  # goes with the folder around it


class _Orders:
    def __init__(self):
        self.fd = 0
        self.ended = False
        self._rest = b""
        os.set_blocking(self.fd, False)

    def take(self):
        try:
            read = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return
        if not read:
            self.ended = True
            return
        *lines, self._rest = (self._rest + read).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _all_may_read(paths):
    """Whether users who have nothing to do with these could open them."""
    return all(_others_may(path, stat.S_IROTH) and _all_may_enter(os.path.dirname(path)) for path in paths)


def _all_may_enter(folder):
    parent = os.path.dirname(folder)
    return _others_may(folder, stat.S_IXOTH) and (parent == folder or _all_may_enter(parent))


def _others_may(path, right):
    try:
        return bool(os.stat(path).st_mode & right)
    except FileNotFoundError:
        return True  # then it is of no use to anybody


def _make_folders(folder, owner):
    data, temporary = os.path.join(folder, "data"), os.path.join(folder, "tmp")
    os.mkdir(folder)
    os.chmod(folder, 0o711)  # the session's user goes through it
    for path in (data, temporary):
        os.mkdir(path, 0o700)
        if owner is not None:
            os.chown(path, owner, owner)
    fd = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(fd, _DATA_FD, inheritable=False)
    os.close(fd)
    if os.path.islink(DATA) and os.readlink(DATA) == _LINK_TO_DATA:
        os.chdir(DATA)
        return [data, temporary], None
    os.chdir(data)
    return [data, temporary], PathNames(data)


def _tasks_of_user():
    """Threads that this user has now, on the whole machine."""
    count = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat(f"/proc/{name}").st_uid == os.geteuid():
                count += folders.thread_count(name)
        except OSError:
            pass
    return count

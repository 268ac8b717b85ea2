"""Between the server and the one session of a container: starts it, stops and continues it, watches what it uses, and passes on what
is said. The session cannot reach this process, so a session that no longer moves does not keep the server's orders from being obeyed.

Standard input has lines of the server's: an order begins with `!`, everything else is for the session. Standard output is the
session's alone. On standard error this says why the session has ended. When the server hangs up, all ends.
"""
import json
import os
import select
import signal
import socket
import time

from . import folders, jail, landlock, libc, libraries, readable
from .child import WATCH_SECONDS, Child
from .path_names import DATA
from .session import Session

_CHANNEL = 3
_TEMPORARY = "/tmp"
_READ_BYTES = 65536
_ORDER = b"!"
_ORDERS = {b"!go": "go", b"!rest": "rest", b"!interrupt": "interrupt"}
_PR_SET_DUMPABLE = 4
# The user of a container may be that of others on the same kernel, all of whose threads count. Ours are watched then.
_NPROC_OF_SHARED_KERNEL = 32768


class Supervisor:
    def __init__(self, settings, reports, has_own_kernel):
        self._settings = settings
        self._limits = settings["limits"]
        self._reports = reports
        self._has_own_kernel = has_own_kernel
        self._rest = b""
        self._next_look = 0.0

    def serve(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.chdir(DATA)
        ours, its = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become_session(its)
        its.close()
        _hide()
        self._child = Child(pid, self._limits, self._usage)
        self._to_session = _Pipe(0, ours.fileno())
        self._to_server = _Pipe(ours.fileno(), 1)
        while self._relay():
            pass
        self._finish()

    def _become_session(self, channel):
        """Never returns."""
        try:
            os.dup2(channel.detach(), _CHANNEL, inheritable=False)
            os.closerange(_CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
            for fd in range(_CHANNEL):
                os.dup2(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), fd)
            libraries.load(self._settings["preload"])
            self._lock_down()
            libraries.forget_the_runner()
            Session(_CHANNEL, _CHANNEL, self._limits, DATA).serve()
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
            os.write(_CHANNEL, json.dumps({"type": "broken", "message": message}).encode() + b"\n")
        finally:
            os._exit(0)

    def _lock_down(self):
        """The container is the wall. What a process can give up by itself it gives up all the same."""
        jail.prepare(self._limits, self._limits["threads"] + 1 if self._has_own_kernel else _NPROC_OF_SHARED_KERNEL)
        libraries.begin_anew(_TEMPORARY)
        _hide()
        writable = [DATA, _TEMPORARY]
        jail.lock_down(None, None, jail.rules_for(readable.paths(), writable) if landlock.version() > 0 else None)

    def _usage(self):
        return folders.usage_of_file_systems((DATA, _TEMPORARY))

    def _relay(self):
        """One round. False when there is nothing more to do."""
        poll = select.poll()
        wanted = [(self._child.ended, select.POLLIN), self._to_session.wants(), self._to_server.wants()]
        for fd in {fd for fd, _ in wanted}:
            poll.register(fd, sum({event for each, event in wanted if each == fd}))
        ready = {fd for fd, _ in poll.poll(WATCH_SECONDS * 1000 if self._child.computes else None)}
        if self._child.ended in ready:
            return False
        self._watch()
        try:
            self._to_server.move(ready)
            self._to_session.move(ready, self._obey)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return not (self._to_session.ended or self._to_server.ended)

    def _watch(self):
        if self._child.computes and time.monotonic() >= self._next_look:
            self._child.check()
            # For a forbidden call gVisor ends the thread that has made it, and not its process.
            if _has_lost_its_first_thread(self._child.pid):
                self._child.kill("forbidden")
            self._next_look = time.monotonic() + WATCH_SECONDS

    def _obey(self, content):
        """Takes the orders out of what the server says. What is not a whole line yet waits."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            if line in _ORDERS:
                getattr(self._child, _ORDERS[line])()
        return b"".join(line + b"\n" for line in lines if not line.startswith(_ORDER))

    def _finish(self):
        """Tells why it has ended, after all that it has said. Whoever hung up first, the session ends now."""
        self._child.kill("exited")
        os.waitid(os.P_PIDFD, self._child.ended, os.WEXITED | os.WNOWAIT)
        try:
            self._to_server.flush()
        except OSError:
            pass  # nobody wants to hear it
        reason = self._child.reason(self._child.status())
        os.write(self._reports, json.dumps({"ended": reason}).encode() + b"\n")


def _has_lost_its_first_thread(pid):
    try:
        with open(f"/proc/{pid}/stat") as reader:
            return reader.read().rpartition(") ")[2].startswith("Z")
    except OSError:
        return False  # gone as a whole


def _hide():
    """Neither memory nor descriptors of this process can be opened by way of /proc any more."""
    libc.prctl(_PR_SET_DUMPABLE, 0)


class _Pipe:
    """Bytes from one descriptor to another. Nothing is read while what was read before is not written yet."""

    def __init__(self, source, target):
        self._source, self._target = source, target
        self._held = b""
        self.ended = False
        for fd in (source, target):
            os.set_blocking(fd, False)

    def wants(self):
        return (self._target, select.POLLOUT) if self._held else (self._source, select.POLLIN)

    def move(self, ready, change=None):
        if self.wants()[0] not in ready:
            return
        if not self._held:
            content = _read(self._source)
            if content is None:
                return
            self.ended = content == b""
            self._held = change(content) if change else content
        self._write()

    def flush(self):
        """All that there is to read, now that nothing more comes."""
        while True:
            while self._held:
                self._write()
                if self._held:
                    select.select([], [self._target], [])
            self._held = _read(self._source) or b""
            if not self._held:
                return

    def _write(self):
        if self._held:
            try:
                self._held = self._held[os.write(self._target, self._held) :]
            except BlockingIOError:
                pass


def _read(fd):
    """None when there is nothing now, no bytes when there never will be."""
    try:
        return os.read(fd, _READ_BYTES)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""

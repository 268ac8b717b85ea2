"""One session: answers the server's requests, one after the other, until it hangs up.

By the second request, code of somebody else has run in this process and may have changed everything in it. Nothing here guards
anything; the walls are around the process.
"""
import base64
import contextlib
import errno
import os
import stat

from .cells import Cells
from .channel import PIECE_BYTES, Channel
from .display import Display
from .interrupts import Interrupts
from .output import Output

_FILES_PER_FRAME = 50
_LONGEST_PATH_BYTES = 1000


class Refused(Exception):
    """Why a file cannot be written or read. The text is one of the codes that the server knows."""


class Session:
    """`folder` is where the code finds its files, and `path_names` what it may call that, if anything else."""

    def __init__(self, reading, writing, limits, folder, path_names=None):
        self._channel = Channel(reading, writing)
        self._limits = limits
        self._folder = folder
        interrupts = Interrupts()
        self._display = Display(self._channel, interrupts, limits)
        self._cells = Cells(self._display, interrupts, path_names)
        self._output = Output(self._channel, path_names)
        self._new_file = None

    def serve(self):
        self._channel.send(type="ready")
        answers = {"exec": self._exec, "get": self._get, "list": self._list}
        answers |= {"link": self._link, "put": self._put, "piece": self._piece, "finish": self._finish, "abandon": self._abandon}
        for request in self._channel.requests():
            try:
                answers[request["op"]](request)
            except Refused as error:
                self._channel.send(id=request["id"], type="refused", code=str(error))
            except OSError as error:
                self._channel.send(id=request["id"], type="refused", code=_code_of(error))

    def _exec(self, request):
        self._output.begin(request["id"], self._limits["outputBytes"])
        self._display.begin(request["id"])
        failure = self._cells.run(request["code"])
        undrawn = self._cells.guard(self._display.show_figures)
        failure = failure or undrawn
        self._output.end()
        ending = {} if failure is None else {"traceback": failure}
        self._channel.send(id=request["id"], type="done", dropped=self._output.dropped, **ending)

    def _put(self, request):
        """What goes wrong from here on is told at the end: until then the server goes on sending."""
        self._new_file = _NewFile(self._folder, request["name"])

    def _piece(self, request):
        self._new_file.write(base64.b64decode(request["data"]))

    def _finish(self, request):
        self._new_file.finish()
        self._channel.send(id=request["id"], type="end")

    def _abandon(self, request):
        self._new_file.give_up()
        self._channel.send(id=request["id"], type="end")

    def _link(self, request):
        """The alias is a name without folders, so the link leads to the file from there. What has that name already stays."""
        with contextlib.suppress(FileExistsError):
            os.symlink(request["name"], os.path.join(self._folder, request["alias"]))
        self._channel.send(id=request["id"], type="end")

    def _get(self, request):
        fd = os.open(os.path.join(self._folder, request["name"]), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise Refused("not_a_file")
            if status.st_size > request["maxBytes"]:
                raise Refused("too_large")
            left = status.st_size
            while left > 0 and (content := os.read(fd, min(PIECE_BYTES, left))):
                left -= len(content)
                self._channel.send_bytes(content, id=request["id"], type="data")
        finally:
            os.close(fd)
        self._channel.send(id=request["id"], type="end")

    def _list(self, request):
        files = list(self._files())
        for start in range(0, len(files), _FILES_PER_FRAME):
            self._channel.send(id=request["id"], type="files", files=files[start : start + _FILES_PER_FRAME])
        self._channel.send(id=request["id"], type="end")

    def _files(self):
        """Those whose names are text, folder by folder. Others cannot be asked for."""
        pending = [""]
        while pending:
            prefix = pending.pop(0)
            for entry in _entries(os.path.join(self._folder, prefix)):
                name = prefix + entry.name
                status = _status(entry)
                if status is None or not _is_askable(name):
                    continue
                if stat.S_ISDIR(status.st_mode):
                    pending.append(f"{name}/")
                elif stat.S_ISREG(status.st_mode):
                    stamp = f"{status.st_ino} {status.st_ctime_ns} {status.st_size}"
                    yield {"name": name, "bytes": status.st_size, "stamp": stamp}


class _NewFile:
    """Written beside its place first: what is there already stays whole until the new one is."""

    def __init__(self, folder, name):
        self._path = os.path.join(folder, name)
        self._part = os.path.join(folder, f".{os.urandom(8).hex()}.part")
        self._fd, self._failure = None, None
        with self._failing_later():
            self._fd = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def write(self, content):
        view = memoryview(content)
        with self._failing_later():
            while view and self._failure is None:
                view = view[os.write(self._fd, view) :]

    def finish(self):
        with self._failing_later():
            if self._failure is None:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                os.rename(self._part, self._path)
        self.give_up()
        if self._failure is not None:
            raise self._failure

    def give_up(self):
        if self._fd is not None:
            os.close(self._fd)
        with contextlib.suppress(OSError):
            os.unlink(self._part)

    @contextlib.contextmanager
    def _failing_later(self):
        try:
            yield
        except OSError as error:
            self._failure = error


def _entries(folder):
    """None of a folder that the code has closed to itself, or removes just now."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _status(entry):
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _is_askable(name):
    try:
        return len(name.encode()) <= _LONGEST_PATH_BYTES
    except UnicodeEncodeError:
        return False


def _code_of(error):
    if isinstance(error, FileNotFoundError):
        return "not_found"
    if isinstance(error, IsADirectoryError):
        return "not_a_file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no_space"
    if error.errno in (errno.ELOOP, errno.ENXIO):
        return "not_a_file"
    return "failed"

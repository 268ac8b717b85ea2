"""Started by the server as `python -I -B main.py`, with settings as a line of JSON on standard input. Sessions are made by the
zygote; this makes its surroundings, and sees to it that nothing outlives the server.
"""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runner import folders, libc, namespaces, seccomp  # noqa: E402
from runner.zygote import Zygote  # noqa: E402


def main(reports):
    settings = json.loads(_read_line())
    libc.die_with_parent(settings["parent"], signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl+C is for the server, which then ends us
    if not seccomp.is_available():
        raise RuntimeError("there is no list of system calls for this processor")
    folders.remove_abandoned(os.path.dirname(settings["folder"]))
    folders.claim(settings["folder"])
    if settings["isolation"] != "namespaces":
        Zygote(settings, reports, False).serve()
        return
    needs_user_namespace = namespaces.enter()
    zygote = os.fork()
    if zygote == 0:
        libc.prctl(1, signal.SIGKILL)
        Zygote(settings, reports, needs_user_namespace).serve()
        return
    os.close(0)
    os.close(reports)
    _, status = os.waitpid(zygote, 0)
    os._exit(abs(os.waitstatus_to_exitcode(status)))


def _read_line():
    """Not a byte more: what follows is for the zygote."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line


# What a library prints is not for the server, which reads reports. Sessions have no such descriptor.
_reports = os.dup(1)
os.dup2(2, 1)
try:
    main(_reports)
except BaseException as error:
    os.write(_reports, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode() + b"\n")
    sys.exit(1)

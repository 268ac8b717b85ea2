"""What a session may read of the machine: Python, its libraries, and what the system gives to all programs."""
import json
import os
import sys

# Folders that programs and libraries are in, and files that they look at. All can be read by everybody.
SYSTEM = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",
    "/usr/share/locale",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
)


def paths():
    # The executable of an environment is a link into the installation that it was made from.
    return list(dict.fromkeys([*SYSTEM, *_prefixes()]))


def _prefixes():
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix):
        if prefix in ("/", "/usr", "/usr/local"):
            yield os.path.join(prefix, "lib")
        else:
            yield prefix


def _programs():
    """The interpreter, which in an environment is a link, of which there may be several one after the other."""
    path = sys.executable
    while os.path.islink(path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        yield path


# As a program: for whoever builds a file tree in which Python is yet to be started.
if __name__ == "__main__":
    shown = paths()
    shown += [each for each in (sys.executable, *_programs()) if not any(each.startswith(f"{folder}/") for folder in shown)]
    print(json.dumps(shown))

"""Folders on disk, for sessions that have no file system of their own: how much is in them, and their removal.

They are filled by somebody's code, so names, links and depths may be anything. Nothing here follows a link.
"""
import fcntl
import os
import stat
import time

_BLOCK_BYTES = 512
_LOCK = "lock"
# A folder is claimed at once when it is made, by a server that lives.
_MAKING_SECONDS = 120
# How the server names the folders that are claimed.
_CLAIMED = "driver-"


def usage(folder, pid, most_files):
    """Bytes and files in a folder, with files that are removed and still open in the process. Counts on just past `most_files`."""
    total, files, pending = 0, 0, [folder]
    try:
        while pending:
            for entry in _entries(pending.pop()):
                files += 1
                if files > most_files:
                    return total, files
                status = _status(entry)
                if status is None:
                    continue
                total += status.st_blocks * _BLOCK_BYTES
                if stat.S_ISDIR(status.st_mode):
                    pending.append(entry.path)
    except OSError:
        return total, most_files + 1  # deeper than a path may be long, or closed to us on purpose
    return total + _removed_but_open(pid), files


def usage_of_file_systems(folders):
    """Bytes and files in file systems that nobody else uses, removed files that are still open among them."""
    total = files = 0
    for folder in folders:
        status = os.statvfs(folder)
        total += (status.f_blocks - status.f_bfree) * status.f_frsize
        files += status.f_files - status.f_ffree - 1  # without the folder itself
    return total, files


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        pass  # it has just been removed


def _status(entry):
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def thread_count(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _removed_but_open(pid):
    total = 0
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return 0  # it has just ended
    for name in names:
        try:
            status = os.stat(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # closed meanwhile
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
            total += status.st_blocks * _BLOCK_BYTES
    return total


def claim(folder):
    """Makes a folder that counts as in use for as long as the descriptor that is returned is open in any process."""
    os.makedirs(folder, mode=0o711, exist_ok=True)
    lock = os.open(os.path.join(folder, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def remove_abandoned(parent):
    """Removes folders in `parent` that nobody has claimed any more. Returns how many."""
    removed = 0
    for name in os.listdir(parent):
        path = os.path.join(parent, name)
        if name.startswith(_CLAIMED) and _is_abandoned(path):
            remove(path)
            removed += 1
    return removed


def _is_abandoned(folder):
    try:
        lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _is_old(folder)  # else it is just being made
    except OSError:
        return False  # somebody else's
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(lock)


def _is_old(folder):
    try:
        return time.time() - os.stat(folder, follow_symlinks=False).st_mtime > _MAKING_SECONDS
    except FileNotFoundError:
        return False


def remove(folder):
    """Removes a folder however deep it is: folders inside folders are moved up before they are removed."""
    if not os.path.isdir(folder) or os.path.islink(folder):
        return
    while True:
        nested = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    nested.append(entry.path)
                else:
                    os.unlink(entry.path)
        if not nested:
            break
        for path in nested:
            os.chmod(path, 0o700)
            with os.scandir(path) as entries:
                inside = list(entries)
            for entry in inside:
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.path, 0o700)
                    os.rename(entry.path, os.path.join(folder, os.urandom(12).hex()))
                else:
                    os.unlink(entry.path)
            os.rmdir(path)
    os.rmdir(folder)

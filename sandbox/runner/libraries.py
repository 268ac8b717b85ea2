"""The libraries that code is sure to want, loaded before it comes."""
import gc
import importlib
import os
import random
import sys


def load(names):
    """Those that are installed. Nothing of this may start a thread: only the one that forks goes on in the child."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    if "matplotlib.pyplot" in sys.modules:
        _draw_once(sys.modules["matplotlib.pyplot"])
    gc.collect()
    gc.freeze()


def begin_anew(temporary):
    """What a session must not share with others that were forked from the same process, nor know of the runner."""
    os.environ.update(HOME=temporary, TMPDIR=temporary, MPLCONFIGDIR=temporary, PWD=os.getcwd())
    sys.path.insert(0, "")
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    gc.enable()


def forget_the_runner():
    """So that a module of the code's own may have any name."""
    package = __name__.partition(".")[0]
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    sys.argv = [""]


def _draw_once(pyplot):
    """The first figure loads fonts."""
    import io

    pyplot.figure()
    pyplot.plot([0, 1])
    pyplot.title("a")
    pyplot.savefig(io.BytesIO(), format="png")
    pyplot.close("all")

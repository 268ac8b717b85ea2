"""Runs pieces of code one after the other in the same module, like a notebook."""
import ast
import asyncio
import builtins
import inspect
import linecache
import os
import sys
import sysconfig
import traceback
import types

_LONGEST_TRACEBACK = 20_000
_DEEPEST_TRACEBACK = 3000
_SHORT_TRACEBACK = 100
_CELL = "<cell "
# Where libraries are on this machine is of no use to anybody who reads a traceback.
_LIBRARIES = tuple(
    (os.path.join(path, ""), shown)
    for name, shown in (("purelib", ""), ("platlib", ""), ("stdlib", "python/"), ("platstdlib", "python/"))
    if (path := sysconfig.get_path(name))
)
_RUNNER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Cells:
    def __init__(self, display, interrupts, path_names):
        self._display = display
        self._interrupts = interrupts
        self._path_names = path_names
        self._count = 0
        # Classes that the code makes are looked up in the module by their name, by pickle for one.
        module = types.ModuleType("__main__")
        module.__dict__.update(__builtins__=builtins, display=display.show)
        sys.modules["__main__"] = module
        self._names = module.__dict__

    def run(self, code):
        """None, or a traceback as text. Whatever the code does, this returns, unless it ends the process."""
        self._count += 1
        return self.guard(lambda: self._run(code))

    def guard(self, work):
        """The same for work of ours that calls objects of the code."""
        try:
            with self._interrupts.taken():
                work()
        except SystemExit as error:
            return None if error.code in (None, 0) else f"SystemExit: {error.code}\n"
        except BaseException as error:
            return self._describe(error)
        return None

    def _run(self, code):
        name = f"{_CELL}{self._count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = _parse(code, name)
        if self._path_names is not None:
            tree = self._path_names.use(tree)
        last = tree.body.pop().value if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._evaluate(tree, name, "exec")
        if last is None:
            return
        value = self._evaluate(ast.Expression(last), name, "eval")
        if value is not None and not code.rstrip().endswith(";"):
            self._names["_"] = value
            self._display.show(value)

    def _evaluate(self, tree, name, mode):
        compiled = compile(tree, name, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(compiled, self._names)
        if compiled.co_flags & inspect.CO_COROUTINE:
            return asyncio.run(value)
        return value

    def _describe(self, error):
        try:
            told = traceback.TracebackException.from_exception(error, limit=_limit(error.__traceback__))
            _leave_out_the_runner(told)
            text = "".join(told.format())
        except BaseException:
            text = f"{type(error).__name__}\n"
        for path, shown in _LIBRARIES:
            text = text.replace(path, shown)
        if self._path_names is not None:
            text = self._path_names.show(text)
        if len(text) > _LONGEST_TRACEBACK:
            half = _LONGEST_TRACEBACK // 2
            text = f"{text[:half]}\n…\n{text[-half:]}"
        return text


def _limit(frames):
    """Of how many frames a traceback tells: of all, unless they are far more than recursion makes by itself."""
    for _ in range(_DEEPEST_TRACEBACK):
        if frames is None:
            return None
        frames = frames.tb_next
    return _SHORT_TRACEBACK


def _parse(code, name):
    try:
        return ast.parse(code, name)
    except SyntaxError as error:
        raise error.with_traceback(None) from None  # where Python has found it is of no use


def _leave_out_the_runner(told):
    """And what leads from it to the code. In the errors that led to this one, too."""
    while told is not None:
        frames = [frame for frame in told.stack if not frame.filename.startswith(_RUNNER)]
        first = next((index for index, frame in enumerate(frames) if frame.filename.startswith(_CELL)), 0)
        told.stack[:] = frames[first:]
        told = told.__cause__ or told.__context__

"""Tries the checks of the matrix through the official Python SDK on a running server. One JSON line for each check.

A check is a module of checks/. Its parts are the functions whose names begin with `test_`, each with a docstring that
is the sentence that it holds or breaks. Exits with 0 when every check was tried, whatever came of it.
"""

import argparse
import asyncio
import inspect
import json
import os
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType

import openai

from capabilities import API, Cannot
from checks import (
    both_views,
    code_interpreter,
    errors,
    file_search,
    functions,
    incomplete,
    lock,
    paging,
    plain_stream,
    quickstart,
    request_ids,
    retries,
    retrieval,
    v1_objects,
)

CHECKS = {
    1: quickstart,
    2: plain_stream,
    3: functions,
    4: lock,
    5: paging,
    6: {"v1": retrieval, "v2": file_search}[API],
    7: code_interpreter,
    8: {"v1": v1_objects, "v2": both_views}[API],
    9: errors,
    10: request_ids,
    11: retries,
    12: incomplete,
}
PARTS_AT_ONCE = 4
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")

Part = Callable[[], object]


@dataclass(frozen=True)
class Outcome:
    """What came of a part. Neither a reason nor a failure: it holds."""

    cannot: str = ""
    failure: str = ""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--api", choices=["v1", "v2"], required=True)
    api = options.parse_args().api
    if api != API:
        options.error(f"openai {openai.__version__} speaks {API}")
    # The SDK marks the Assistants API as deprecated, which is why there is this server.
    warnings.simplefilter("ignore", DeprecationWarning)
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        outcomes = {
            number: [pool.submit(try_part, part) for part in parts_of(module)] for number, module in CHECKS.items()
        }
        for number, parts in outcomes.items():
            print(json.dumps(report(number, [part.result() for part in parts])), flush=True)


def parts_of(module: ModuleType) -> list[Part]:
    return [part for name, part in vars(module).items() if name.startswith("test_")]


def try_part(part: Part) -> Outcome:
    try:
        outcome = part()
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    except Cannot as reason:
        return Outcome(cannot=str(reason))
    except Exception as error:
        return Outcome(failure=f"It does not hold that {inspect.getdoc(part)}.\n{describe(error)}")
    return Outcome()


def describe(error: Exception) -> str:
    """The error, behind the lines of this program that led to it; those of the SDK would hide them."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    here = [frame.removeprefix(FOLDER) for frame in frames if frame.startswith(os.path.join(FOLDER, "checks"))]
    return "".join([f"{' > '.join(here)}\n", *traceback.format_exception_only(error)]).rstrip()


def report(number: int, outcomes: list[Outcome]) -> dict[str, object]:
    """A check is good when every part that can be tried holds; without any such part, it cannot be tried."""
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    reasons = "; ".join(dict.fromkeys(outcome.cannot for outcome in outcomes if outcome.cannot))
    if all(outcome.cannot for outcome in outcomes):
        return {"check": number, "ok": False, "cannot": reasons, "detail": ""}
    if failures:
        return {"check": number, "ok": False, "detail": "\n".join(failures)}
    return {"check": number, "ok": True, "detail": f"Without: {reasons}." if reasons else ""}


if __name__ == "__main__":
    main()

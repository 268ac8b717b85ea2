"""Uses a running server through the official Python SDK, and prints one JSON line for each flow that was tried.

A flow is a function of flows/ whose name begins with `test_`; its docstring is the sentence that it holds or breaks.
Exits with 0 when every flow was tried, whatever came of it.
"""

import asyncio
import inspect
import json
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from flows import (
    code_interpreter,
    endings,
    file_search,
    files,
    function_calls,
    objects,
    polling,
    quickstart,
    refusals,
    streaming,
    vector_stores,
)

MODULES = [
    polling,
    streaming,
    function_calls,
    file_search,
    code_interpreter,
    endings,
    refusals,
    objects,
    files,
    quickstart,
    vector_stores,
]
FLOWS_AT_ONCE = 4

Flow = Callable[[], object]


def main() -> None:
    # The SDK marks the Assistants API as deprecated, which is why there is this server.
    warnings.simplefilter("ignore", DeprecationWarning)
    flows = [flow for module in MODULES for name, flow in vars(module).items() if name.startswith("test_")]
    with ThreadPoolExecutor(FLOWS_AT_ONCE) as pool:
        for report in as_completed([pool.submit(try_flow, flow) for flow in flows]):
            print(json.dumps(report.result()), flush=True)


def try_flow(flow: Flow) -> dict[str, object]:
    report = {"test": inspect.getdoc(flow), "ok": True, "detail": ""}
    try:
        outcome = flow()
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    except Exception:
        report |= {"ok": False, "detail": traceback.format_exc()}
    return report


if __name__ == "__main__":
    main()

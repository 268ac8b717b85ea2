"""Runs that wait for outputs are few, and their calls have ids that no document can name. Every second submission or cancel
that is to be accepted goes to a run that waits, a submission with outputs for exactly its calls."""

import json
from itertools import count

import schemathesis
from server import is_to_be_accepted, post

SUBMIT = "/v1/threads/{thread_id}/runs/{run_id}/submit_tool_outputs"
CANCEL = "/v1/threads/{thread_id}/runs/{run_id}/cancel"
CALLS = [{"name": "look_up", "arguments": {"q": q}} for q in ("a", "b")]
SCRIPT = {"turns": [{"tool_calls": CALLS}, {"tool_calls": CALLS[:1]}, {"text": "Done.", "chunk_ms": 0}]}

_numbers = count()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method != "POST" or case.path not in (SUBMIT, CANCEL) or not is_to_be_accepted(case):
        return
    if next(_numbers) % 2 == 0:
        return
    run = make_waiting_run(case)
    case.path_parameters.update(thread_id=run["thread_id"], run_id=run["id"])
    if case.path == SUBMIT:
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        given = [output.get("output") for output in case.body["tool_outputs"]] or ["yes"]
        case.body["tool_outputs"] = [
            {"tool_call_id": call["id"], "output": given[index % len(given)]} for index, call in enumerate(calls)
        ]


def make_waiting_run(case):
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    [assistant] = post(case, "/v1/assistants", {"model": "gpt-4o", "tools": tools})
    messages = [{"role": "user", "content": f"#script {json.dumps(SCRIPT)}"}]
    asked = {"assistant_id": assistant["id"], "thread": {"messages": messages}, "stream": True}
    return post(case, "/v1/threads/runs", asked)[-1]

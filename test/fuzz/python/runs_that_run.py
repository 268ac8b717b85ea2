"""A thread takes one run at a time, and models refuse much that the API takes: left alone, most runs would get nowhere.
Three of four that are to be accepted get a new thread, lose what would end them at once, and, unless they bring instructions
of their own, have a model that does one thing or another at once."""

import json
from itertools import count

import schemathesis
from real_objects import lasting_store
from server import is_to_be_accepted, post

ONE_THREAD = ("/v1/threads/{thread_id}/runs", "/v1/threads/{thread_id}/messages")
NEW_THREAD = "/v1/threads/runs"
KEPT = 4
FUNCTION = {"name": "f", "arguments": {"x": 1}}
SEARCH = {"name": "file_search", "arguments": {"queries": ["words", "NaN"]}}
CODE = {"name": "code_interpreter", "arguments": {"code": "open('/mnt/data/f.txt', 'w').write('f')"}}
TURNS = (
    {"text": "Plain words, \u00e4\u6f22\U0001f600."},
    {"text": "Enough. ", "repeat": 400, "chunk_chars": 40},
    {"tool_calls": [FUNCTION]},
    {"tool_calls": [SEARCH]},
    {"tool_calls": [SEARCH, FUNCTION]},
    {"tool_calls": [CODE]},
    {"tool_calls": [FUNCTION, CODE, SEARCH]},
    {"text": "Half", "finish_reason": "length"},
    {"refusal": "No."},
    {"text": "", "finish_reason": "content_filter"},
    {"error": {"status": 400}},
)

#: The tool that searches, by the version of the API.
TOOLS = {"assistants=v1": "retrieval", "assistants=v2": "file_search"}
LINK = {"text": "See [f](sandbox:/mnt/data/f.txt)."}

_numbers = count()


def stores(case):
    """What makes a thread that can be searched."""
    return {"tool_resources": {"file_search": {"vector_store_ids": [lasting_store(case)["vector_store_id"]]}}}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method != "POST" or case.path not in (*ONE_THREAD, NEW_THREAD) or not is_to_be_accepted(case):
        return
    number = next(_numbers)
    if number % KEPT == 0:
        return
    if case.path in ONE_THREAD:
        [thread] = post(case, "/v1/threads", stores(case), "assistants=v2")
        case.path_parameters["thread_id"] = thread["id"]
    if case.path.endswith("/messages"):
        return
    for name in ("response_format", "tool_choice", "expires_after_seconds"):
        case.body.pop(name, None)
    if not case.body.get("instructions"):
        turn = TURNS[number % len(TURNS)]
        calls = turn.get("tool_calls", ())
        end = LINK if CODE in calls else TURNS[0]
        case.body["instructions"] = f"#script {json.dumps({'turns': [turn, end]})}"
        tools = {TOOLS[case.headers["OpenAI-Beta"]]: SEARCH, "code_interpreter": CODE}
        called = [{"type": name} for name, call in tools.items() if call in calls]
        if called:
            case.body["tools"] = called

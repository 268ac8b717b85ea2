"""Ids that lead somewhere. The ids that documents allow are nearly always those of nothing, so of most requests only the
404 would be seen. Three of four requests outside of the chains, right or wrong in what else they say, are about objects that
are there: files, vector stores with files that can be searched, batches. What takes something away gets it made anew."""

import time
from itertools import count

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from server import get, post, upload

KEPT = 4
DEADLINE_SECONDS = 60
#: The last one is no PDF.
TEXTS = {
    "words.txt": "Plain words, \u00e4\u6f22\U0001f600. " * 200,
    "page.html": "<h1>Notes</h1><p>The owl hunts at night.",
    "broken.pdf": "%PDF-1.7 and nothing else",
}

_numbers = count()
_turns = count()
_files = []
_lasting = {}


def new_file(case, name="words.txt", purpose="assistants"):
    return upload(case, "/v1/files", ("file", name, TEXTS[name]), purpose=purpose)["id"]


def any_file(case):
    """The id of one of the files that stay."""
    if not _files:
        # The broken one would be read anew each time that it is added.
        _files.extend(new_file(case, name) for name in TEXTS if name != "broken.pdf")
    return _files[next(_turns) % len(_files)]


def new_store(case, *file_ids):
    [store] = post(case, "/v1/vector_stores", {"file_ids": file_ids})
    return store["id"]


def new_batch(case, store, *more):
    body = {"file_ids": [any_file(case), any_file(case), *more]}
    [batch] = post(case, f"/v1/vector_stores/{store}/file_batches", body)
    return batch["id"]


def lasting_store(case):
    """Ids of a store that can be searched, of a batch, and of a file in both, none of which goes away."""
    if not _lasting:
        store = new_store(case)
        _lasting.update(vector_store_id=store, batch_id=new_batch(case, store, new_file(case, "broken.pdf")))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while get(case, f"/v1/vector_stores/{store}")["status"] == "in_progress":
            assert time.monotonic() < deadline, "the files of the store are not read in time"
            time.sleep(0.05)
        [file, *_] = get(case, f"/v1/vector_stores/{store}/files")["data"]
        _lasting["file_id"] = file["id"]
    return _lasting


def fresh_store(case):
    return {"vector_store_id": new_store(case)}


def fresh_store_file(case):
    file = new_file(case)
    return {"vector_store_id": new_store(case, file), "file_id": file}


def fresh_batch(case):
    store = lasting_store(case)["vector_store_id"]
    return {"vector_store_id": store, "batch_id": new_batch(case, store)}


def file_of_assistant(case):
    file = new_file(case)
    body = {"model": "gpt-4-turbo", "tools": [{"type": "retrieval"}], "file_ids": [file]}
    [assistant] = post(case, "/v1/assistants", body, "assistants=v1")
    return {"assistant_id": assistant["id"], "file_id": file}


def file_of_message(case):
    file = any_file(case)
    [thread] = post(case, "/v1/threads", {}, "assistants=v1")
    body = {"role": "user", "content": "Look.", "file_ids": [file]}
    [message] = post(case, f"/v1/threads/{thread['id']}/messages", body, "assistants=v1")
    return {"thread_id": thread["id"], "message_id": message["id"], "file_id": file}


def file_for_everyone(case):
    """One that may be downloaded, other than those for assistants."""
    return {"file_id": new_file(case, purpose="vision")}


def pending_upload(case):
    body = {"filename": "words.txt", "purpose": "assistants", "bytes": 5, "mime_type": "text/plain"}
    [begun] = post(case, "/v1/uploads", body)
    return {"upload_id": begun["id"]}


def upload_with_part(case):
    found = pending_upload(case)
    part = upload(case, f"/v1/uploads/{found['upload_id']}/parts", ("data", "part", "words"))
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        case.body = {"part_ids": [part["id"]]}
    return found


STORE = "/v1/vector_stores/{vector_store_id}"
#: By operation, what is made for each request. Other operations whose path has one of these ids get what lasts.
ANEW = {
    f"DELETE {STORE}": fresh_store,
    f"DELETE {STORE}/files/{{file_id}}": fresh_store_file,
    f"POST {STORE}/file_batches/{{batch_id}}/cancel": fresh_batch,
    "GET /v1/assistants/{assistant_id}/files/{file_id}": file_of_assistant,
    "DELETE /v1/assistants/{assistant_id}/files/{file_id}": file_of_assistant,
    "GET /v1/threads/{thread_id}/messages/{message_id}/files": file_of_message,
    "GET /v1/threads/{thread_id}/messages/{message_id}/files/{file_id}": file_of_message,
    "DELETE /v1/files/{file_id}": file_for_everyone,
    "GET /v1/files/{file_id}/content": file_for_everyone,
    "POST /v1/uploads/{upload_id}/parts": pending_upload,
    "POST /v1/uploads/{upload_id}/cancel": pending_upload,
    "POST /v1/uploads/{upload_id}/complete": upload_with_part,
}


def ids_for(case):
    make = ANEW.get(f"{case.method} {case.path}")
    if make is not None:
        return make(case)
    if "{vector_store_id}" in case.path:
        return lasting_store(case)
    return {"file_id": any_file(case)} if case.path.startswith("/v1/files/{file_id}") else {}


def with_real_files(case, value):
    """The same, with ids of real files and stores wherever it names any. Images stay: the files here are none."""
    if isinstance(value, list):
        return [with_real_files(case, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: real(case, name, item) for name, item in value.items()}


def real(case, name, value):
    if name == "file_id" and isinstance(value, str):
        return any_file(case)
    if name == "file_ids" and isinstance(value, list):
        return [any_file(case) for _ in value]
    if name == "vector_store_ids" and isinstance(value, list):
        return [lasting_store(case)["vector_store_id"] for _ in value]
    return value if name in ("image_file", "metadata", "parameters", "schema") else with_real_files(case, value)


def forget_what_goes(case):
    """Ids that the fuzzer has read in answers may be those of what was to last."""
    if case.method == "DELETE" and {*_files, *_lasting.values()} & {*map(str, case.path_parameters.values())}:
        _files.clear()
        _lasting.clear()


@schemathesis.hook
def before_call(context, case, kwargs):
    forget_what_goes(case)
    # A chain goes on with what its requests have made.
    if case.meta is None or case.meta.phase.name == TestPhase.STATEFUL or next(_numbers) % KEPT == 0:
        return
    if not case.meta.is_negative_at(ParameterLocation.PATH):
        found = ids_for(case)
        case.path_parameters.update({name: found[name] for name in found if f"{{{name}}}" in case.path})
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        body = with_real_files(case, case.body)
        # Forms hold more than what is compared with their schema, so they are left alone.
        if body != case.body:
            case.body = body

"""What some generations of the SDK lack: the only place that asks which generation this is."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

import openai
from openai import APIStatusError, OpenAI, _models
from openai.types.beta.threads import Run

Part = TypeVar("Part", bound=Callable[[], object])


@dataclass(frozen=True)
class Capability:
    """Something that a generation of the SDK has or lacks."""

    name: str
    is_here: bool


class Cannot(Exception):
    """What a part of a check is about does not exist. The message is the reason."""


def needs(*capabilities: Capability) -> Callable[[Part], Part]:
    """Makes a part of a check say so where the SDK lacks one of these."""

    def guard(part: Part) -> Part:
        @wraps(part)
        def tried() -> object:
            for each in capabilities:
                if not each.is_here:
                    raise Cannot(f"this SDK has no {each.name}")
            return part()

        return tried

    return guard


def takes(method: Callable[..., object], parameter: str) -> bool:
    return parameter in inspect.signature(method).parameters


client = OpenAI(api_key="none")
beta = client.beta
threads, runs, messages = beta.threads, beta.threads.runs, beta.threads.messages
citations = getattr(openai.types.beta.threads, "file_citation_annotation", None)
stream_events = getattr(openai.types.beta, "assistant_stream_event", None)

# The version of the API whose header the SDK sends by itself.
API = "v1" if hasattr(beta.assistants, "files") else "v2"

POLLERS = Capability("runs.create_and_poll", hasattr(runs, "create_and_poll"))
STREAMS = Capability("runs.stream", hasattr(runs, "stream"))
MESSAGES_OF_RUN = Capability("messages.list(run_id=...)", takes(messages.list, "run_id"))
TOKEN_LIMITS = Capability("runs.create(max_completion_tokens=...)", takes(runs.create, "max_completion_tokens"))
STREAMING_RESPONSES = Capability("with_streaming_response", hasattr(runs, "with_streaming_response"))
ERRORS_WITH_REQUEST_ID = Capability("error.request_id", "request_id" in APIStatusError.__annotations__)
OBJECTS_WITH_REQUEST_ID = Capability("object._request_id", hasattr(_models, "add_request_id"))
FILE_IDS = Capability("assistants.create(file_ids=...)", takes(beta.assistants.create, "file_ids"))
TOOL_RESOURCES = Capability("assistants.create(tool_resources=...)", takes(beta.assistants.create, "tool_resources"))
STORE_SEARCH = Capability("vector_stores.search", hasattr(getattr(client, "vector_stores", None), "search"))
INCOMPLETE_EVENT = Capability("thread.run.incomplete event", hasattr(stream_events, "ThreadRunIncomplete"))
# The first generation calls `expires_at` an integer, where the service says null once a run has ended.
STRICT_RUNS = Capability("nullable run.expires_at", Run.model_fields["expires_at"].annotation is not int)

# The first types of version 2 still had the quotes of version 1, which the service did not send any more.
BARE_CITATIONS = Capability("citation without a quote", citations is not None and "quote" not in citations.FileCitation.model_fields)

# So that handlers can be declared where there are none.
AssistantEventHandler = getattr(openai, "AssistantEventHandler", object)
AsyncAssistantEventHandler = getattr(openai, "AsyncAssistantEventHandler", object)

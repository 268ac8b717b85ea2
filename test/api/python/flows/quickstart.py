"""The way most programs begin: a tutor that can use the code interpreter, whose answer is printed as it comes."""

from io import StringIO

from openai import AssistantEventHandler

from .scenario import MODEL, client, expect, script, text_of

ANSWER = {"text": "The solution of 3x + 11 = 14 is x = 1.", "chunk_ms": 15}


class Printer(AssistantEventHandler):
    """Shows the answer of an assistant on a screen."""

    def __init__(self, screen: StringIO) -> None:
        super().__init__()
        self.screen = screen

    def on_text_created(self, text) -> None:
        print("assistant > ", end="", file=self.screen, flush=True)

    def on_text_delta(self, delta, snapshot) -> None:
        print(delta.value, end="", file=self.screen, flush=True)

    def on_tool_call_created(self, tool_call) -> None:
        print(f"assistant uses {tool_call.type}", file=self.screen, flush=True)


def test_quickstart() -> None:
    """the tutor of the quickstart prints its answer while it comes, and the thread keeps it"""
    tutor = client.beta.assistants.create(
        name="Math Tutor",
        instructions="You are a patient maths tutor. Write and run code to answer questions.",
        tools=[{"type": "code_interpreter"}],
        model=MODEL,
    )
    thread = client.beta.threads.create()
    question = client.beta.threads.messages.create(thread_id=thread.id, role="user", content=script(ANSWER))

    screen = StringIO()
    with client.beta.threads.runs.stream(
        thread_id=thread.id,
        assistant_id=tutor.id,
        instructions="Please call the user Jane. She has a premium account.",
        event_handler=Printer(screen),
    ) as stream:
        stream.until_done()

    expect(screen.getvalue(), f"assistant > {ANSWER['text']}")
    answer, first = client.beta.threads.messages.list(thread.id)
    expect((first.id, text_of(answer)), (question.id, ANSWER["text"]))

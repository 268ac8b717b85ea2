"""Runs that write and run code, as the guides show them. The model answers by the rules of the demo, without any script."""

from io import StringIO

from openai import AssistantEventHandler

from .scenario import MODEL, POLL_MS, client, expect, messages_of

TOOLS = [{"type": "code_interpreter"}]
TABLE = b"month,sales\nJan, 12\nFeb,15\nFeb,15\nMar,\nApr,9\n"
TIDY = b"month,sales\nJan,12\nFeb,15\nApr,9\n"
PATH = "sandbox:/mnt/data/sales_cleaned.csv"
PNG = b"\x89PNG\r\n\x1a\n"


class Printer(AssistantEventHandler):
    """Shows code and what came of it on a screen."""

    def __init__(self, screen: StringIO) -> None:
        super().__init__()
        self.screen = screen
        self.pieces = 0

    def on_text_created(self, text) -> None:
        print("\nassistant > ", end="", file=self.screen, flush=True)

    def on_text_delta(self, delta, snapshot) -> None:
        print(delta.value, end="", file=self.screen, flush=True)

    def on_tool_call_created(self, tool_call) -> None:
        print(f"\nassistant > {tool_call.type}\n", file=self.screen, flush=True)

    def on_tool_call_delta(self, delta, snapshot) -> None:
        if delta.type != "code_interpreter":
            return
        if delta.code_interpreter.input:
            self.pieces += 1
            print(delta.code_interpreter.input, end="", file=self.screen, flush=True)
        for output in delta.code_interpreter.outputs or []:
            if output.type == "logs":
                print(f"\noutput >\n{output.logs}", file=self.screen, flush=True)


def test_equation() -> None:
    """a tutor's event handler prints code while it is written, what it prints, and the answer"""
    tutor = client.beta.assistants.create(
        name="Tutor", instructions="Run code to answer questions about numbers.", tools=TOOLS, model=MODEL
    )
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(
        thread_id=thread.id, role="user", content="Please solve the equation `4x + 9 = 21` for me."
    )
    printer = Printer(StringIO())
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=tutor.id, event_handler=printer
    ) as stream:
        stream.until_done()
        [step, _] = stream.get_final_run_steps()
        [message] = stream.get_final_messages()
    [call] = step.step_details.tool_calls
    [output] = call.code_interpreter.outputs
    expect(output.logs, "x = 3\n")
    text = message.content[0].text.value
    assert text.endswith("x = 3"), text
    assert printer.pieces > 5, f"the code came in {printer.pieces} pieces"
    expect(
        printer.screen.getvalue(),
        f"\nassistant > code_interpreter\n\n{call.code_interpreter.input}\noutput >\nx = 3\n\n\nassistant > {text}",
    )


def check_answer(message: object) -> None:
    """Follows an answer's picture and link, as a program that shows it does."""
    [image, text] = message.content
    expect(client.files.content(image.image_file.file_id).read()[: len(PNG)], PNG)
    value = text.text.value
    assert "5 rows, of which 2 were incomplete or repeated." in value, value
    [path] = text.text.annotations
    expect((path.type, path.text, value[path.start_index : path.end_index]), ("file_path", PATH, PATH))
    expect(client.files.content(path.file_path.file_id).read(), TIDY)
    expect(client.files.retrieve(path.file_path.file_id).purpose, "assistants_output")


def test_table_of_an_assistant() -> None:
    """the table of an assistant comes back as a plot and as a tidy table"""
    file = client.files.create(file=("sales.csv", TABLE), purpose="assistants")
    assistant = client.beta.assistants.create(
        model=MODEL, tools=TOOLS, tool_resources={"code_interpreter": {"file_ids": [file.id]}}
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Plot it, and give me a tidy file."}])
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=POLL_MS
    )
    expect((run.status, run.last_error), ("completed", None))
    [message] = messages_of(run)
    check_answer(message)


def test_table_of_a_thread() -> None:
    """the table of a thread does, too, in a stream whose handler is given the picture"""
    file = client.files.create(file=("sales.csv", TABLE), purpose="assistants")
    assistant = client.beta.assistants.create(model=MODEL, tools=TOOLS)
    thread = client.beta.threads.create(
        messages=[{"role": "user", "content": "Plot it, and give me a tidy file."}],
        tool_resources={"code_interpreter": {"file_ids": [file.id]}},
    )
    pictures: list[str] = []

    class Handler(AssistantEventHandler):
        def on_image_file_done(self, image_file: object) -> None:
            pictures.append(image_file.file_id)

    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()
    ) as stream:
        stream.until_done()
        [message] = stream.get_final_messages()
    check_answer(message)
    expect(pictures, [message.content[0].image_file.file_id])

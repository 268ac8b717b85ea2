"""What check 7 says and expects: code that reads a table, prints, draws and writes a file, and an answer that links it."""

from scenario import client, expect

TABLE = ("birds.csv", b"bird,count\nowl,4\nwren,5\n")
WRITTEN = b"bird,share\nowl,0.44\nwren,0.56\n"

CODE = """import csv
import matplotlib.pyplot as plt
with open("/mnt/data/birds.csv") as table:
    counts = {row["bird"]: int(row["count"]) for row in csv.DictReader(table)}
total = sum(counts.values())
with open("/mnt/data/shares.csv", "w") as shares:
    shares.write("bird,share\\n")
    shares.writelines(f"{bird},{count / total:.2f}\\n" for bird, count in counts.items())
plt.bar(list(counts), list(counts.values()))
plt.show()
print(f"🦉 {total} – zusammengezählt")"""
LOGS = "🦉 9 – zusammengezählt\n"
LINK = "sandbox:/mnt/data/shares.csv"
BEFORE = "🦉 There are 9 – 你好: [the shares]("
TEXT = f"{BEFORE}{LINK})."
PNG = b"\x89PNG\r\n\x1a\n"

# A turn that runs the code, and one that links the file, in pieces that cut the link.
CALLS = [{"name": "code_interpreter", "arguments": {"code": CODE}}]
RUN = {"tool_calls": CALLS, "chunk_chars": 20, "chunk_ms": 10}
ANSWER = {"chunks": [BEFORE, LINK[:10], LINK[10:], ")."], "chunk_ms": 2}


def check_call(call: object) -> str:
    """Checks the one call of a run. Returns the id of its picture."""
    expect((call.type, call.code_interpreter.input), ("code_interpreter", CODE))
    image, logs = sorted(call.code_interpreter.outputs, key=lambda output: output.type)
    expect((image.type, logs.type, logs.logs), ("image", "logs", LOGS))
    return image.image.file_id


def check_answer(message: object, image: str) -> None:
    """Checks an answer as the guides print it: its picture, and the file behind the link in its text."""
    shown, part = message.content
    expect((shown.type, shown.image_file.file_id), ("image_file", image))
    expect((part.text.value, len(part.text.annotations)), (TEXT, 1))
    [path] = part.text.annotations
    linked = part.text.value[path.start_index : path.end_index]
    expect((path.type, path.text, linked), ("file_path", LINK, LINK))
    expect(download(image)[: len(PNG)], PNG)
    expect(download(path.file_path.file_id), WRITTEN)
    expect(client.files.retrieve(path.file_path.file_id).purpose, "assistants_output")


def download(file_id: str) -> bytes:
    return client.files.content(file_id).read()

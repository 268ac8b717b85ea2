"""The first process of a container: `python -I -B contained.py SETTINGS`. The container is the wall; this looks whether it is one,
and starts the session in it.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runner import walls  # noqa: E402
from runner.supervisor import Supervisor  # noqa: E402


def main(settings):
    reports = os.dup(2)
    os.set_inheritable(reports, False)
    found = walls.found()
    os.write(reports, json.dumps({"walls": found}).encode() + b"\n")
    Supervisor(settings, reports, found["kernel"] == "gvisor").serve()


main(json.loads(sys.argv[1]))

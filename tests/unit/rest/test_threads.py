"""Several threads of a local server decode at the same time."""

import subprocess
import sys

from tests.support.checkout import ROOT

# All threads use each struct for the first time in this process, at the same time.
FIRST_USES = """
import json, sys, threading
import app, msgspec
from chalicelib.rest import threads

sys.setswitchinterval(1e-6)
if "prepared" in sys.argv:
    threads.prepare()
structs = [msgspec.Struct]
for struct in structs:
    structs += struct.__subclasses__()
texts = {struct: json.dumps([dict.fromkeys(struct.__struct_encode_fields__)]) for struct in structs[1:]}

def use():
    start.wait()
    for struct, text in texts.items():
        try:
            msgspec.json.decode(text, type=tuple[struct, ...])
        except msgspec.ValidationError:
            pass

start = threading.Barrier(8)
users = [threading.Thread(target=use) for _ in range(8)]
for user in users:
    user.start()
for user in users:
    user.join()
"""


def test_threads_that_use_a_struct_first_at_the_same_time_do_not_crash() -> None:
    for _ in range(4):  # without `prepare`, half of the processes crash
        command = [sys.executable, "-c", FIRST_USES, "prepared"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)

        assert done.returncode == 0, done.stderr

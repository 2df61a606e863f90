"""Inside a `Guest`: runs what the test asks for on the second serial line, a JSON object a line each way.

It stands alone: nothing but Python's library is there when it starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import tty
from typing import Any

LINE = "/dev/ttyS1"


def main() -> None:
    line = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    speaking = threading.Lock()

    def say(answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        with speaking:
            while data:
                data = data[os.write(line, data[:4096]) :]

    def answer(asked: dict[str, Any]) -> None:
        try:
            done = subprocess.run(
                asked["argv"], input=asked["input"], timeout=asked["timeout"], env=asked["env"],
                text=True, errors="replace", capture_output=True, cwd="/",
            )  # fmt: skip
            say({"id": asked["id"], "status": done.returncode, "stdout": done.stdout, "stderr": done.stderr})
        except subprocess.TimeoutExpired:
            say({"id": asked["id"], "status": None})
        except OSError as error:
            say({"id": asked["id"], "status": 127, "stdout": "", "stderr": str(error)})

    say({"id": 0, "status": 0, "stdout": "", "stderr": ""})
    heard = b""
    while True:
        heard += os.read(line, 65536)
        *whole, heard = heard.split(b"\n")
        for text in whole:
            threading.Thread(target=answer, args=(json.loads(text),), daemon=True).start()


if __name__ == "__main__":
    main()

"""A webhook to try relay with: prints what it is sent and answers 200, or the status given as argument.

python3 docs/examples/receiver.py        answers 200
python3 docs/examples/receiver.py 422    refuses everything, so that dead letters can be seen
"""

# ruff: noqa: INP001  a program by itself

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUS = int(sys.argv[1]) if len(sys.argv) > 1 else 200


class Receiver(BaseHTTPRequestHandler):
    """Answers every POST with STATUS."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sys.stdout.write(f"answering {STATUS} to {body}\n")
        sys.stdout.flush()
        self.send_response(STATUS)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the body says it all."""


sys.stdout.write("listening on http://127.0.0.1:9000\n")
sys.stdout.flush()
ThreadingHTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()

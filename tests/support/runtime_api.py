#!/usr/bin/env python3
"""Lambda's Runtime API on loopback, as a function sees it, and its other side for a test.

The first line of output is the port. A function that asks for the next invocation waits until a test sends one:

    PUT /_invoke?id=ID&seconds=S   with the event as body, S seconds before its deadline
    PUT /_initialization           waits for the function to say that it cannot start

Both answer with {"path": ..., "error_type": ..., "body": ...} of what the function posted, or {} when it said nothing
for two minutes. What Lambda would not take (a path, an id, a body that is no JSON) is refused with 400, as Lambda does.
"""
import json
import queue
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ROOT = "/2018-06-01/runtime"
PATIENCE_SECONDS = 120

invocations = queue.Queue()
answers = {}  # by the path that they will be posted to


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        if self.path != ROOT + "/invocation/next":
            return self.reply(404)
        request_id, deadline_ms, event = invocations.get()
        self.reply(200, event, {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:pana_db_backup",
            "Content-Type": "application/json"})

    def do_POST(self):
        body = self.body()
        waiting = answers.get(self.path)
        try:
            json.loads(body)
        except ValueError:
            waiting = None
        if waiting is None or self.headers.get("Expect"):
            return self.reply(400)
        self.reply(202)
        waiting.put({"path": self.path[len(ROOT):], "error_type": self.headers.get(
            "Lambda-Runtime-Function-Error-Type", ""), "body": json.loads(body)})

    def do_PUT(self):
        url = urlsplit(self.path)
        event = self.body()
        posted = queue.Queue()
        if url.path == "/_initialization":
            answers[ROOT + "/init/error"] = posted
        else:
            given = parse_qs(url.query)
            request_id = given["id"][0]
            for kind in ("response", "error"):
                answers[f"{ROOT}/invocation/{request_id}/{kind}"] = posted
            invocations.put((request_id, int((time.time() + float(given["seconds"][0])) * 1000), event))
        try:
            answer = posted.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            answer = {}
        self.reply(200, json.dumps(answer).encode())

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()

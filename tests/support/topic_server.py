#!/usr/bin/env python3
"""moto's SNS and SSM on loopback, with one topic whose messages can be read.

The first line of output is: the port of the services, the topic's ARN, and
the port of GET /messages, which gives [{"subject": ..., "message": ...}].
"""
import json
import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer

os.environ.update(AWS_ACCESS_KEY_ID="set-up", AWS_SECRET_ACCESS_KEY="set-up", AWS_DEFAULT_REGION="eu-central-1")
os.environ.pop("AWS_PROFILE", None)

import boto3  # noqa: E402
from moto.backends import get_backend  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

ACCOUNT, REGION = "123456789012", "eu-central-1"

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
services = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
services.start()
topic = boto3.client("sns", endpoint_url=f"http://127.0.0.1:{port}").create_topic(Name="pana-alerts")["TopicArn"]


class Messages(BaseHTTPRequestHandler):
    def do_GET(self):
        sent = get_backend("sns")[ACCOUNT][REGION].topics[topic].sent_notifications
        body = json.dumps([{"message": message, "subject": subject} for _, message, subject, *_ in sent]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


record = HTTPServer(("127.0.0.1", 0), Messages)
print(port, topic, record.server_address[1], flush=True)
record.serve_forever()

#!/usr/bin/env python3
"""A TCP proxy on loopback in front of one server, which does what networks do.

    fault_proxy.py PORT-OF-THE-SERVER

The first line of output is the proxy's port and the port of its control:

    PUT /fault  {"kind": ..., "after": BYTES, "scope": "one" | "all"}

The fault strikes once, when so many bytes have come from the server over all
connections since: "reset" and "fin" end the connection, "stall" lets nothing
more through in either direction, "refuse" lets new connections in no more
and ends this one. With scope "all" it strikes all connections. {} takes a
fault back. Answers with {"bytes": those counted until now, "struck": ...}.

    PUT /rate   BYTES a second and connection; 0: as they come
    GET /       {"bytes": ...} alone
"""
import json
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SERVER = ("127.0.0.1", int(sys.argv[1]))
PIECE = 64 * 1024

lock = threading.Lock()
fault, counted, struck, rate, refusing = {}, 0, False, 0, False
open_connections = set()


def connect():
    """As little as possible lies in the kernel: what is not yet counted is still to be sent by the server."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)  # the sender's buffer is a multiple of it
    server.connect(SERVER)
    return server


class Connection:
    def __init__(self, client):
        self.client, self.server, self.stalled = client, connect(), False
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            open_connections.add(self)
        threading.Thread(target=self.copy, args=(self.client, self.server, False), daemon=True).start()
        threading.Thread(target=self.copy, args=(self.server, self.client, True), daemon=True).start()

    def copy(self, source, target, from_server):
        try:
            while piece := source.recv(PIECE if not rate else max(1, rate // 20)):
                if from_server:
                    count(self, len(piece))
                    if rate:
                        time.sleep(len(piece) / rate)
                while self.stalled:
                    time.sleep(0.05)
                target.sendall(piece)
            while self.stalled:
                time.sleep(0.05)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(reset=False)
        if from_server:
            with lock:
                open_connections.discard(self)

    def close(self, reset):
        for sock in (self.client, self.server):
            try:
                if reset:  # first wakes who reads from it, which says nothing to the other side, as a FIN would
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.shutdown(socket.SHUT_RD)
                else:
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()
            except OSError:
                pass

    def strike(self, kind):
        if kind == "none":
            return
        if kind == "stall":
            self.stalled = True
        else:
            self.close(reset=kind == "reset")


def count(connection, size):
    global counted, struck, refusing
    with lock:
        counted += size
        if not fault or struck or counted < fault["after"]:
            return
        struck = True
        refusing = fault["kind"] == "refuse"
        hit = list(open_connections) if fault["scope"] == "all" else [connection]
    for victim in hit:
        victim.strike(fault["kind"])


class Control(BaseHTTPRequestHandler):
    def reply(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply({"bytes": counted})

    def do_PUT(self):
        global fault, counted, struck, rate, refusing
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            answer = {"bytes": counted, "struck": struck}
            if self.path == "/rate":
                rate = body
            else:
                fault, counted, struck, refusing = body, 0, False, False
                for connection in list(open_connections):
                    connection.stalled = False
        self.reply(answer)

    def log_message(self, *_):
        pass


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
control = HTTPServer(("127.0.0.1", 0), Control)
threading.Thread(target=control.serve_forever, daemon=True).start()
print(listener.getsockname()[1], control.server_address[1], flush=True)
while True:
    client, _ = listener.accept()
    if refusing:
        client.close()
        continue
    try:
        Connection(client)
    except OSError:
        client.close()

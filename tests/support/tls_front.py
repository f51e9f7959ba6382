#!/usr/bin/env python3
"""A TLS server before another server, and a proxy (CONNECT) before that; both on 127.0.0.1.

Arguments: the files of a certificate and its key, and the port of the server behind. The first line of output is the
ports of the two. Whatever host the proxy is asked for, it connects to the TLS server.
"""
import socket
import ssl
import sys
import threading


def carry(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def join(one, other):
    threading.Thread(target=carry, args=(one, other), daemon=True).start()
    carry(other, one)


def serve_tls(connection):
    try:
        join(context.wrap_socket(connection, server_side=True), socket.create_connection(("127.0.0.1", int(sys.argv[3]))))
    except OSError:  # the client does not trust the certificate
        connection.close()


def serve_proxy(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        data = connection.recv(1 << 16)
        if not data:
            return
        request += data
    if not request.startswith(b"CONNECT "):
        connection.close()
        return
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    join(connection, socket.create_connection(tls.getsockname()))


def accept(listener, serve):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
tls = socket.create_server(("127.0.0.1", 0))
proxy = socket.create_server(("127.0.0.1", 0))
print(tls.getsockname()[1], proxy.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(proxy, serve_proxy), daemon=True).start()
accept(tls, serve_tls)

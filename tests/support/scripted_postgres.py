# A server, or a pooler, that speaks as much of PostgreSQL's protocol as pana's first questions need, and misbehaves as it
# is told: scripted_postgres.py VERSION FAILING
#
# VERSION is what it tells of itself. The first session's FAILING-th question for its process id ends with an error, as a
# statement_timeout does; 0: none. Prints its port.
import itertools
import socket
import struct
import sys
import threading

version, failing = sys.argv[1], int(sys.argv[2])
REQUESTS_FOR_ENCRYPTION = (80877103, 80877104)


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def texts(*parts):
    return b"".join(part.encode() + b"\0" for part in parts)


def row(value):
    description = struct.pack("!H", 1) + texts("value") + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)
    data = struct.pack("!HI", 1, len(value)) + value.encode()
    return message(b"T", description) + message(b"D", data) + message(b"C", texts("SELECT 1"))


def answer(sql, session, asked):
    if "pg_backend_pid" in sql:
        if session == 1 and next(asked) == failing:
            return message(b"E", texts("SERROR", "C57014", "Mcanceling statement due to statement timeout") + b"\0")
        return row(str(1000 + session))
    first_word = sql.split()[0]
    return message(b"C", texts(first_word)) if first_word in ("BEGIN", "ROLLBACK", "SET") else row("1")


def serve(connection, session):
    stream = connection.makefile("rb")

    def read(count):
        data = stream.read(count)
        if len(data) < count:
            raise ConnectionError("the client has gone")
        return data

    def read_startup():
        length, code = struct.unpack("!II", read(8))
        read(length - 8)
        return code

    try:
        while read_startup() in REQUESTS_FOR_ENCRYPTION:
            connection.sendall(b"N")
        settings = {"server_version": version, "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        connection.sendall(message(b"R", struct.pack("!I", 0))
                           + b"".join(message(b"S", texts(name, value)) for name, value in settings.items())
                           + message(b"K", struct.pack("!II", 1, 1)) + message(b"Z", b"I"))
        asked = itertools.count(1)
        while read(1) == b"Q":
            sql = read(struct.unpack("!I", read(4))[0] - 4).rstrip(b"\0").decode()
            connection.sendall(answer(sql, session, asked) + message(b"Z", b"I"))
    except OSError:
        pass
    finally:
        connection.close()


server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
for number in itertools.count(1):
    threading.Thread(target=serve, args=(server.accept()[0], number), daemon=True).start()

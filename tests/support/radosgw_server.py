#!/usr/bin/env python3
"""Ceph's S3 gateway in front of one storage daemon, on loopback and in a directory of its own.

    radosgw_server.py DIRECTORY KEY_ID SECRET REGION

A real server that checks signatures, conditions of writes and the tokens of
temporary credentials. Its role "backup" may do what the README says a backup
must. Objects are kept in memory. The first line of output is the port; the
servers end with this process.
"""
import base64
import ctypes
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import uuid

directory, key_id, secret, region = sys.argv[1:5]
home = pathlib.Path(directory).resolve()
home.mkdir(exist_ok=True)
configuration = home / "ceph.conf"
children = []


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, cwd=home)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def start(*command):
    log = open(home / f"{command[0]}.log", "wb")
    children.append(subprocess.Popen([*command, "-c", configuration, "-f"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     cwd=home, preexec_fn=die_with_parent))


def stop(*_):
    for child in reversed(children):
        child.terminate()
        child.wait()
    sys.exit(0)


def wait_until(what, is_true):
    deadline = time.time() + 120
    while not is_true():
        if time.time() > deadline or any(child.poll() is not None for child in children):
            logs = "".join(log.read_text(errors="replace")[-2000:] for log in home.glob("*.log"))
            sys.exit(f"{what}: did not come to be\n{logs}")
        time.sleep(0.1)


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except OSError:
        return False


def ceph(*arguments):
    return run("ceph", "-c", str(configuration), *arguments)


def administer(*arguments):
    run("radosgw-admin", "-c", str(configuration), *arguments)


def policy(*actions, **rest):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, **rest}]})


signal.signal(signal.SIGTERM, stop)
monitor, gateway = free_port(), free_port()
for name in ("mon", "osd", "run"):
    (home / name).mkdir()
configuration.write_text(f"""[global]
fsid = {uuid.uuid4()}
mon host = v2:127.0.0.1:{monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {home}/keyring
run dir = {home}/run
admin socket = {home}/run/$name.asok
log file = {home}/$name.log
auth allow insecure global id reclaim = false
mon cluster log to file = false
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd objectstore = memstore
osd class dir = {next(pathlib.Path("/usr/lib").glob("*/rados-classes"), "")}
memstore device bytes = 4294967296
[mon.a]
mon data = {home}/mon
host = localhost
[osd.0]
osd data = {home}/osd
host = localhost
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = tests-key={base64.b64encode(os.urandom(32)).decode()}
rgw enable usage log = false
rgw enable ops log = false
rgw enable gc threads = false
""")
keyring = str(home / "keyring")
run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *(word for service in ("mon", "osd", "mgr")
                                                                  for word in ("--cap", service, "allow *")))
monitor_map = str(home / "monmap")
run("monmaptool", "--create", "--addv", "a", f"v2:127.0.0.1:{monitor}", monitor_map)
run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitor_map, "--keyring", keyring, "-c", str(configuration))
start("ceph-mon", "-i", "a")
storage_id = str(uuid.uuid4())
ceph("osd", "new", storage_id)
with open(keyring, "a") as file:
    file.write(ceph("auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *"))
run("ceph-osd", "-i", "0", "-c", str(configuration), "--mkfs", "--osd-uuid", storage_id)
start("ceph-osd", "-i", "0")
wait_until("the storage daemon", lambda: json.loads(ceph("osd", "stat", "-f", "json"))["num_up_osds"] == 1)
start("radosgw", "-n", "client.admin")
wait_until("the gateway", lambda: answers(gateway))
administer("user", "create", "--uid=tests", "--display-name=tests", f"--access-key={key_id}", f"--secret-key={secret}")
administer("role", "create", "--role-name=backup", "--assume-role-policy-doc=" + policy(
    "sts:AssumeRole", Principal={"AWS": ["arn:aws:iam:::user/tests"]}))
administer("role-policy", "put", "--role-name=backup", "--policy-name=backup", "--policy-doc=" + policy(
    "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject", Resource="*"))
print(gateway, flush=True)
signal.pause()

#!/usr/bin/env python3
"""OpenStack Swift with its S3 interface, on loopback and in a directory of its own: a real server that checks signatures.

    swift_server.py DIRECTORY KEY_ID SECRET REGION

KEY_ID is account:user. The first line of output is the port; the servers end
with this process.
"""
import ctypes
import http.client
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import time

directory, key_id, secret, region = sys.argv[1:5]
home = pathlib.Path(directory).resolve()
etc = home / "etc"
user = pwd.getpwuid(os.geteuid()).pw_name
children = []
ports = {}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write(name, text):
    (etc / name).write_text(text)


def common(port):
    return f"""[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {etc}
devices = {home}
mount_check = false
user = {user}
log_address = /dev/null
fallocate_reserve = 0
"""


def storage_server(kind):
    port = ports[kind] = free_port()
    write(f"{kind}-server.conf", common(port) + f"""recon_cache_path = {home}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {home}
""")
    builder = str(etc / f"{kind}.builder")
    run("swift-ring-builder", builder, "create", "4", "1", "0")
    run("swift-ring-builder", builder, "add", f"r1z1-127.0.0.1:{port}/d1", "1")
    run("swift-ring-builder", builder, "rebalance")


def proxy_server(port):
    filters = ["catch_errors", "gatekeeper", "cache", "listing_formats", "bulk", "s3api", "tempauth", "copy", "slo",
               "dlo", "versioned_writes", "symlink"]
    account, name = key_id.split(":")
    settings = {"s3api": f"location = {region}\nmin_segment_size = 5242880\n",
                "cache": f"memcache_servers = 127.0.0.1:{free_port()}\n",
                "tempauth": f"user_{account}_{name} = {secret} .admin\n"}
    sections = "".join(f"[filter:{f}]\nuse = egg:swift#{'memcache' if f == 'cache' else f}\n{settings.get(f, '')}"
                       for f in filters)
    write("proxy-server.conf", common(port) + f"""[pipeline:main]
pipeline = {' '.join(filters)} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
{sections}""")


def start(kind):
    log = open(home / f"{kind}.log", "wb")
    children.append(subprocess.Popen([f"swift-{kind}-server", str(etc / f"{kind}-server.conf"), "-v"],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent))


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except OSError:
        return False


os.environ["SWIFT_DIR"] = str(etc)
(home / "d1").mkdir(parents=True)
etc.mkdir()
write("swift.conf", "[swift-hash]\nswift_hash_path_prefix = pana\nswift_hash_path_suffix = pana\n"
                    "[storage-policy:0]\nname = Policy-0\ndefault = yes\n")
for kind in ("account", "container", "object"):
    storage_server(kind)
ports["proxy"] = free_port()
proxy_server(ports["proxy"])
for kind in ("account", "container", "object", "proxy"):
    start(kind)
deadline = time.time() + 60
while not all(map(answers, ports.values())):
    if time.time() > deadline or any(child.poll() is not None for child in children):
        sys.exit("swift did not start: " + (home / "proxy.log").read_text()[-2000:])
    time.sleep(0.1)
print(ports["proxy"], flush=True)
signal.pause()

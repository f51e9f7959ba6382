"""The machine's side of a benchmark: a server, a store, a network, and what a command costs on them."""
import dataclasses
import functools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
say = functools.partial(print, file=sys.stderr, flush=True)

# fsync=off: how fast a disk syncs is nobody's merit. Autovacuum would run beside one side of a pair only.
SETTINGS = {"shared_buffers": "512MB", "fsync": "off", "autovacuum": "off", "jit": "off", "max_wal_size": "4GB",
            "checkpoint_timeout": "1h", "timezone": "UTC", "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}


def use_newest_server():
    """Lets the newest PostgreSQL's own programs be found first: Debian's /usr/bin/pg_dump is a wrapper script."""
    newest = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]), default=None)
    if not newest:
        sys.exit("no PostgreSQL server in /usr/lib/postgresql: apt-get install postgresql")
    os.environ["PATH"] = f"{newest.parent}:{os.environ['PATH']}"


@dataclasses.dataclass
class Run:
    wall: float     # seconds
    cpu: float      # seconds, user + system, of client and server
    client: float   # CPU seconds of all client processes
    server: float   # CPU seconds of the whole cluster
    rss: float      # MiB, the largest single client process
    size: float     # MB written
    foreign: float  # share of the machine's CPU time that neither side used


def parent_and_ticks(pid):
    """A process's parent, and the CPU time of itself and its reaped children; see proc(5)."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1]), sum(map(int, fields[11:15]))
    except (FileNotFoundError, ProcessLookupError):
        return None, 0


def machine_busy():
    """Seconds of CPU time used by anything on this machine or stolen by its host."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, open("/proc/stat").readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


class Cluster:
    """A PostgreSQL of our own on a free loopback port; it dies with this process, even if that is killed."""

    def __init__(self, directory):
        use_newest_server()
        data, self.log = directory / "data", directory / "server.log"
        data.mkdir()
        become = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(data, user.pw_uid, user.pw_gid)
            become += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}/"
        subprocess.run([*become, "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                        "--no-locale", "-D", data], check=True, cwd="/", stdout=subprocess.DEVNULL)
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": port}.items()]
        self.postmaster = subprocess.Popen([*become, "postgres", "-D", data, *settings], cwd="/", stdout=subprocess.DEVNULL,
                                           stderr=open(self.log, "wb"), start_new_session=True)

    def wait_until_ready(self):
        while subprocess.run(["pg_isready", "-q", "-d", self.url + "postgres"]).returncode != 0:
            if self.postmaster.poll() is not None:
                sys.exit(f"PostgreSQL did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def psql(self, sql, database="postgres"):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url + database], input=sql, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    @functools.cached_property
    def permanent(self):
        """The processes that serve no client and stay for ever."""
        return set(map(int, self.psql("SELECT pid FROM pg_stat_activity WHERE backend_type !~ 'client backend|parallel worker'").split()))

    def cpu(self):
        """CPU seconds used so far, once every backend has ended and been reaped: none is missed or counted twice."""
        for _ in range(3000):
            processes = {int(pid): parent_and_ticks(pid) for pid in os.listdir("/proc") if pid.isdigit()}
            children = {pid: ticks for pid, (parent, ticks) in processes.items() if parent == self.postmaster.pid}
            if set(children) <= self.permanent:
                return (parent_and_ticks(self.postmaster.pid)[1] + sum(children.values())) / TICKS
            time.sleep(0.01)
        sys.exit("a backend outlived its client by 30 s: the server's CPU time cannot be measured")


class Store:
    """Swift with its S3 interface, by the tests' own script; it dies with this process. Sets AWS_... for all that follows."""

    def __init__(self, directory):
        home, key_id, secret, region = directory / "swift", "bench:bench", "secret", "us-east-1"
        home.mkdir()
        become = ["setpriv", "--pdeathsig", "TERM"]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(home, user.pw_uid, user.pw_gid)
            become += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        script = HERE.parent / "tests/support/swift_server.py"
        self.process = subprocess.Popen([*become, "/usr/bin/python3", script, home / "home", key_id, secret, region],
                                        cwd="/", stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().strip()
        if not port:
            sys.exit("Swift did not start")
        os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret,
                       "AWS_REGION": region, "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"}
        subprocess.run(["aws", "s3", "mb", "s3://bench"], check=True, stdout=subprocess.DEVNULL)


class Network:
    """The way to a distant server (delay_proxy.cc); it dies with this process."""

    def __init__(self, program, cluster, round_trip_ms, bytes_per_second):
        self.process = subprocess.Popen([program, cluster.url.rstrip("/").rpartition(":")[2], "--delay-ms", str(round_trip_ms / 2),
                                         "--rate", str(bytes_per_second)], stdout=subprocess.PIPE, text=True)
        self.url = f"postgresql://postgres@127.0.0.1:{self.process.stdout.readline().strip()}/"

    def cpu(self):
        return parent_and_ticks(self.process.pid)[1] / TICKS

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Quota:
    """A control group whose processes get that share of one CPU; version 1 or 2, whichever can be written."""

    def __init__(self, share):
        base = next((path for path in (pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup"))
                     if os.access(path / "cgroup.procs", os.W_OK)), None)
        if not base:
            raise OSError("no control group can be made: run as root")
        self.group = base / f"pana-bench-{os.getpid()}"
        self.group.mkdir()
        period = 100_000
        if (self.group / "cpu.cfs_quota_us").exists():
            (self.group / "cpu.cfs_period_us").write_text(str(period))
            (self.group / "cpu.cfs_quota_us").write_text(str(int(period * share)))
        else:
            (self.group / "cpu.max").write_text(f"{int(period * share)} {period}")

    def __enter__(self):
        return f"echo $$ > {self.group}/cgroup.procs && "

    def __exit__(self, *_):
        self.group.rmdir()


def measure(name, command, cluster, network=None):
    """Runs a command of bash's, with what it writes in $OUT, and says what it cost."""
    out = pathlib.Path(os.environ["OUT"])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()  # what the last run wrote shall not reach the disk at this run's cost
    way = network.cpu if network else lambda: 0
    with tempfile.TemporaryFile() as errors:
        server, between, busy, start = cluster.cpu(), way(), machine_busy(), time.monotonic()
        child = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        wall, busy, between, server = time.monotonic() - start, machine_busy() - busy, way() - between, cluster.cpu() - server
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"{name}: exit status {child.returncode}\n{errors.read().decode(errors='replace')}")
    client, rss = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    cpu, foreign = max(client + server, 1 / TICKS), max(0, busy - between - client - server) / (wall * os.cpu_count())
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / 1e6
    say(f"  {name:40} wall {wall:7.2f}  cpu {cpu:7.2f}  rss {rss:6.1f} MiB  size {size:7.1f} MB")
    return Run(wall, cpu, client, server, rss, size, foreign)

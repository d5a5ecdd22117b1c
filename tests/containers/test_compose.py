# SPDX-License-Identifier: Apache-2.0
"""The suite in containers, as ./deploy/compose/up starts it: that it works, and that each container is as hard as its file says, seen from
the engine and from inside. By the engine of DOCKER_HOST, or one of its own that is started and ended here; it needs root, docker.io and
docker-compose."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from berth_suite import ROOT, Suite, wait_for

PROGRAMS = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
STANDING = {*PROGRAMS, "postgres", "redis", "mail"}
UP_SECONDS = 2400       # four images from nothing, on two cores

pytestmark = [pytest.mark.long, pytest.mark.seconds(120)]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def engine(folder):
    """A Docker engine with its data in the folder: the address of its socket."""
    address = f"unix://{folder}/sock"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            ["dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid"), "-H", address],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: subprocess.run(["docker", "-H", address, "info"], capture_output=True, check=False).returncode == 0, 60, "a Docker engine")
        yield address
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


class Containers:
    def __init__(self, address, run_dir):
        self.run_dir = run_dir
        self.env = dict(os.environ, DOCKER_HOST=address, BERTH_RUN_DIR=str(run_dir), BERTH_PORT=str(free_port()))
        self.env.pop("BERTH_REPORT_FD", None)
        self.project = f"label=com.docker.compose.project=berth-{hashlib.sha256(str(run_dir).encode()).hexdigest()[:12]}"

    def ids(self, what="ps", *words):
        return self.docker(*what.split(), "-q", *words, "--filter", self.project).stdout.split()

    def deploy(self, *words, seconds=UP_SECONDS):
        outcome = subprocess.run([str(ROOT / "deploy" / "compose" / words[0]), *words[1:]], env=self.env, cwd=ROOT, capture_output=True, text=True,
                                 timeout=seconds, check=False)
        assert outcome.returncode == 0, f"{words}: {outcome.stdout[-3000:]}{outcome.stderr[-3000:]}"
        return outcome.stdout

    def docker(self, *words, check=True, seconds=60):
        outcome = subprocess.run(["docker", *words], env=self.env, capture_output=True, text=True, timeout=seconds, check=False)
        assert outcome.returncode == 0 or not check, f"docker {' '.join(words)}: {outcome.stderr}"
        return outcome

    def inspect(self):
        """{service of the compose file: what the engine says of its container}, of those that run."""
        found = json.loads(self.docker("inspect", *self.ids()).stdout)
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def within(self, service, *words):
        return self.docker("exec", self.inspect()[service]["Id"], *words, check=False)


@pytest.fixture(scope="module")
def containers():
    if os.geteuid() != 0:
        pytest.skip("containers are given files by root")
    missing = [tool for tool in ("dockerd", "docker", "docker-compose") if not shutil.which(tool)]
    assert not missing, f"{missing} missing: run through ./tests/run --long"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-docker-"))
    run_dir = ROOT / f".run-compose-{os.getpid()}"
    given = os.environ.get("DOCKER_HOST")
    try:
        with contextlib.nullcontext(given) if given else engine(folder) as address:
            made = Containers(address, run_dir)
            try:
                made.deploy("up")
                yield made
            finally:
                made.deploy("down", "--forget")
    finally:
        for _ in range(10):     # what the engine had mounted goes a moment after it
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(1)
        shutil.rmtree(run_dir, ignore_errors=True)


@pytest.mark.seconds(UP_SECONDS + 120)
def test_the_suite_in_containers_does_the_main_job(containers):
    """`up` has walked it once: booked, found in the audit trail, erased. Here a person signs in and asks."""
    assert set(containers.inspect()) == STANDING
    suite = Suite(containers.run_dir)
    for tenant in (suite.tenant(0), suite.tenant(1)):
        person = suite.person(tenant["slug"], "User")
        answer = suite.as_role(tenant["slug"], "User").get("/v1/me").expect(200)
        assert answer.body["email"] == person["email"]
    containers.deploy("up")
    assert set(containers.inspect()) == STANDING, "a second time it changes nothing"


def processes_of(container):
    """{pid: status} of all processes in its control group."""
    found = {}
    for pid in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if container["Id"] in (pid / "cgroup").read_text():
                found[int(pid.name)] = dict(line.split(":\t", 1) for line in (pid / "status").read_text().splitlines() if ":\t" in line)
    return found


def test_each_container_is_as_hard_as_its_file_says(containers):
    for name, one in containers.inspect().items():
        host = one["HostConfig"]
        assert host["ReadonlyRootfs"] and not host["Privileged"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"], name
        assert "no-new-privileges:true" in host["SecurityOpt"] and 0 < host["PidsLimit"] <= 256 and host["Memory"] > 0, name
        assert one["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert not host["Devices"] and host["PidMode"] == "" and host["IpcMode"] != "host" and not host["Binds"] or all(
            "docker.sock" not in bind for bind in host["Binds"]), name
        processes = processes_of(one)
        assert processes, f"{name} has no process"
        for status in processes.values():
            assert "0" not in status["Uid"].split() and int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0, (name, status["Name"])
            assert status["NoNewPrivs"] == "1", (name, status["Name"])


def test_nothing_in_a_container_can_be_written_but_its_volumes(containers):
    for name in PROGRAMS:
        for place in ("/x", "/usr/local/bin/x", "/etc/x", "/berth/x", "/berth/secrets/x", "/tmp/x"):
            outcome = containers.within(name, "sh", "-c", f"echo x >{place}")
            assert outcome.returncode != 0, f"{name} writes to {place}"


def test_the_gateway_has_the_only_published_port_and_that_on_loopback(containers):
    for name, one in containers.inspect().items():
        published = [bind for binds in one["NetworkSettings"]["Ports"].values() for bind in binds or []]
        assert published == ([{"HostIp": "127.0.0.1", "HostPort": containers.env["BERTH_PORT"]}] if name == "gateway" else []), (name, published)


def test_the_gateway_has_no_way_to_postgresql(containers):
    found = containers.inspect()
    assert found["postgres"]["HostConfig"]["NetworkMode"] == found["redis"]["HostConfig"]["NetworkMode"] == "none"
    assert not any("postgres" in mount["Name"] for mount in found["gateway"]["Mounts"] if mount["Type"] == "volume")
    assert containers.within("gateway", "sh", "-c", "ls -A /berth/sock/postgres").stdout == ""
    assert "postgres" not in containers.within("gateway", "cat", "/proc/net/unix").stdout.lower()
    assert containers.within("gateway", "curl", "-sS", "--max-time", "5", "telnet://postgres:5432").returncode == 6, "no such name"
    # And bookingsvc has one: else nothing would be shown.
    assert ".s.PGSQL." in containers.within("bookingsvc", "sh", "-c", "ls -A /berth/sock/postgres").stdout


def test_each_process_sees_its_own_secrets_alone(containers):
    secrets = {name: set(containers.within(name, "sh", "-c", "cd /berth/secrets && find . -type f").stdout.split()) for name in PROGRAMS}
    for name, files in secrets.items():
        assert files and {file.split("/")[1] for file in files} == {name}, (name, files)


@contextlib.contextmanager
def outside():
    """Another machine, as far as containers can tell: a network namespace behind this one, and the URL of who listens in it."""
    name, net = f"out{os.getpid()}", f"198.18.{os.getpid() % 250}"
    into = ["ip", "netns", "exec", name]
    for words in (["ip", "netns", "add", name], ["ip", "link", "add", name, "type", "veth", "peer", "name", "inner", "netns", name],
                  ["ip", "addr", "add", f"{net}.1/30", "dev", name], ["ip", "link", "set", name, "up"],
                  [*into, "ip", "addr", "add", f"{net}.2/30", "dev", "inner"], [*into, "ip", "link", "set", "inner", "up"],
                  [*into, "ip", "route", "add", "default", "via", f"{net}.1"]):
        subprocess.run(words, check=True)
    server = subprocess.Popen([*into, "python3", "-m", "http.server", "8000", "-d", "/nonexistent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{net}.2:8000/"
    finally:
        server.kill()
        server.wait()
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_services_have_no_way_out(containers):
    """Another machine is there, for the gateway's network leads out; from the network of the services it does not."""
    with outside() as url:
        wait_for(lambda: containers.within("gateway", "curl", "-s", "--max-time", "2", url).returncode == 0, 20, "another machine")
        for name in PROGRAMS[1:]:
            assert containers.within(name, "curl", "-s", "--max-time", "4", url).returncode in (7, 28), name


@pytest.mark.seconds(UP_SECONDS)
def test_what_shares_a_network_follows_it_when_it_is_made_anew(containers):
    """As a new version of authsvc makes it; mail goes by its loopback."""
    containers.docker("rm", "-f", containers.inspect()["authsvc"]["Id"])
    containers.deploy("up", "--no-demo")
    found = containers.inspect()
    assert set(found) == STANDING
    assert os.readlink(f"/proc/{found['authsvc']['State']['Pid']}/ns/net") == os.readlink(f"/proc/{found['mail']['State']['Pid']}/ns/net")
    suite = Suite(containers.run_dir)
    assert suite.sign_in_person(suite.new_person(suite.tenant(0)["slug"])), "whom a mail has reached"


@pytest.mark.last
@pytest.mark.seconds(UP_SECONDS)
def test_down_leaves_the_data_and_forget_nothing(containers):
    suite = Suite(containers.run_dir)
    slug, secrets = suite.tenant(0)["slug"], containers.run_dir / "secrets"
    containers.deploy("down")
    assert containers.ids("ps", "-a") == [] and containers.ids("volume ls") and secrets.exists()
    containers.deploy("up", "--no-demo")
    assert Suite(containers.run_dir).as_role(slug, "User").get("/v1/me").expect(200).body["email"] == suite.person(slug, "User")["email"]
    containers.deploy("down", "--forget")
    assert containers.ids("ps", "-a") == containers.ids("volume ls") == [] and not secrets.exists()
    containers.deploy("up", "--no-demo")
    assert set(containers.inspect()) == STANDING, "and it begins anew"

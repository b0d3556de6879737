"""A Debian machine driven over its consoles, for suite debian. Time limits are for a host that
does much else."""
import json
import os
import re
import shutil
import socket
import subprocess
import time


class Failure(Exception):
    """A step did not do what it should."""


class Machine:
    """A named machine of an image: booted in the background, typed to by its sockets."""

    def __init__(self, program, name, env):
        self.program, self.name, self.env = program, name, env
        self.prefix = []  # of the command: what it runs in
        self.seen = b""

    def cli(self, *args, timeout=1200):
        done = subprocess.run([*self.prefix, self.program, *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout)
        return done.returncode, done.stdout + done.stderr

    def must(self, *args, timeout=1200):
        code, text = self.cli(*args, timeout=timeout)
        if code:
            raise Failure(f"isomorph {' '.join(args)}: exit {code}: {text[-400:]}")
        return text

    def connect(self, which="console"):
        self.console = socket.socket(socket.AF_UNIX)
        self.console.settimeout(1)
        self.console.connect(os.path.join(self.env["XDG_RUNTIME_DIR"], "isomorph", self.name, which))
        self.seen = b""

    def type(self, text):
        self.console.sendall(text.encode())

    def wait(self, pattern, seconds):
        """Reads until the pattern matches; what stood before its end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            match = re.search(pattern.encode(), self.seen)
            if match:
                before, self.seen = self.seen[:match.end()], self.seen[match.end():]
                return before.decode(errors="replace")
            try:
                piece = self.console.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                raise Failure(f"the machine went away before '{pattern}': {self.seen[-400:]!r}")
            self.seen += piece
        raise Failure(f"no '{pattern}' in {seconds} s: {self.seen[-600:]!r}")

    def login(self, seconds=1200):
        self.wait("login: ", seconds)
        self.type("root\n")
        self.wait("# ", 600)
        self.type("stty -echo; PS1= exec sh\n")
        self.run("true", 300)

    def run(self, command, seconds=600):
        """A shell command's output; Failure when it fails."""
        mark = f"done-{time.monotonic_ns()}"
        self.type(f"{command}; echo {mark} $?\n")
        text = self.wait(rf"{mark} \d+\r?\n", seconds)
        code = int(re.findall(rf"{mark} (\d+)", text)[-1])
        text = re.sub(rf"{mark} \d+\s*$", "", text).replace("\r", "").strip()
        if code:
            raise Failure(f"{command}: exit {code}: {text[-400:]}")
        return text

    def pid(self):
        return next(m["pid"] for m in json.loads(self.must("list", "--json")) if m["name"] == self.name)

    def memory(self):
        """Bytes of the host's memory that its process has."""
        with open(f"/proc/{self.pid()}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def check_disk(self, number, scratch):
        """The file system on a disk of the machine, which does not run: as the journal
        leaves it, nothing is wrong. Needs qemu-img and e2fsck."""
        e2fsck = shutil.which("e2fsck", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if not e2fsck or not shutil.which("qemu-img"):
            return
        folder = os.path.join(self.env["XDG_DATA_HOME"], "isomorph", "machines", self.name)
        layer = "disk.qcow2"
        if os.path.exists(os.path.join(folder, "disks.json")):
            with open(os.path.join(folder, "disks.json")) as file:
                layer = json.load(file)[str(number)]
        subprocess.run(["qemu-img", "convert", "-O", "raw", os.path.join(folder, layer), scratch], check=True)
        first = subprocess.run([e2fsck, "-p", scratch], capture_output=True, text=True)
        second = subprocess.run([e2fsck, "-f", "-n", scratch], capture_output=True, text=True)
        os.unlink(scratch)
        if first.returncode > 1 or second.returncode:
            raise Failure(f"e2fsck: {first.stdout[-300:]} {second.stdout[-300:]}")

    def ended(self, seconds=600):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if f'"{self.name}"' not in self.must("list", "--json"):
                return
            time.sleep(0.3)
        raise Failure(f"it has not ended in {seconds} s")

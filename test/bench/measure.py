"""Measuring one command: processor time through launch.c, and the emulators
that there are. Used by test/bench/run and tools/demo."""
import glob
import hashlib
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 600
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TMPDIR": "/tmp"}


def newer(target, *sources):
    return os.path.exists(target) and all(os.path.getmtime(target) >= os.path.getmtime(s) for s in sources)


def seconds(value):
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"


class Bench:
    """The launcher, and where runs leave their output."""

    def __init__(self, build):
        self.folder = os.path.join(build, "bench")
        os.makedirs(self.folder, exist_ok=True)
        self.launcher = os.path.join(self.folder, "launch")
        source = os.path.join(HERE, "launch.c")
        if not newer(self.launcher, source):
            subprocess.run([os.environ.get("CC") or "gcc", "-std=gnu17", "-O2", "-o", self.launcher, source], check=True)

    def measure(self, command, times, root=None):
        """One measurement: {cpu, wall, rss, status, digest, output (a path), error}."""
        out = os.path.join(self.folder, "output")
        args = [self.launcher, "-o", out, "-n", str(times), "-t", str(TIMEOUT)]
        done = subprocess.run(args + (["-r", root] if root else []) + command, env=ENVIRONMENT,
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"launch: {done.stderr.strip()}")
        user, system, wall, rss, status = done.stdout.split()
        with open(out, "rb") as data:
            digest = hashlib.sha256(data.read()).hexdigest()
        with open(out + ".err", errors="replace") as data:
            error = data.read(300).strip()
        return {"cpu": float(user) + float(system), "wall": float(wall), "rss": int(rss), "status": int(status),
                "digest": digest, "output": out, "error": error}


class Emulator:
    """A way to run a guest's program; execs: also one that starts others; warm: it has
    run the program before, and programs of some size only are of interest."""

    def __init__(self, name, command, execs, warm=False):
        self.name, self.command, self.execs, self.warm = name, command, execs, warm

    def can(self, case):
        return (self.execs or not case.execs) and not (self.warm and not case.guest_root)

    def line(self, case):
        return [*self.command, *(["-L", case.guest_root] if case.guest_root else []), *case.guest]


def in_order(names):
    """Names of emulators: isomorph, warm, then QEMU's versions, newest first."""
    return sorted(names, key=lambda n: [(n == "isomorph") * 2 + (n == "warm"), *(int(x) for x in re.findall(r"\d+", n))],
                  reverse=True)


def find_emulators(build, isomorph=None, qemu=None, guest="riscv64", options=()):
    """Isomorph, if it is built, without and with a cache on disk, and the QEMUs for the guest, with the options:
    those given, or all that are here, one of each version, newest first."""
    found = []
    isomorph = isomorph or os.path.join(build, "isomorph")
    if os.access(isomorph, os.X_OK):
        run = [os.path.abspath(isomorph), "run", "--cache"]
        found.append(Emulator("isomorph", [*run, "off"], True))
        found.append(Emulator("warm", [*run, os.path.join(os.path.abspath(build), "bench", "translations")], True, warm=True))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("ISOMORPH_CACHE") or os.path.join(home, "isomorph", "guest-root")
    paths = qemu if qemu is not None else [f"/usr/bin/qemu-{guest}", *glob.glob(f"{cache}/qemu/*/qemu-{guest}")]
    named = {}
    for path in paths:
        if os.access(path, os.X_OK):
            text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            version = re.search(r"version (\d+\.\d+)", text)
            named.setdefault(f"QEMU {version[1] if version else path}", path)
    for name in in_order(named):
        found.append(Emulator(name, [named[name], *options], False))
    return found

"""The benchmark of system VMs: Debian's kernel boots with an initramfs that
runs one program and powers off; processor seconds of the whole machine, under
Isomorph and under QEMU on the same kernel and initramfs. Throughput of a raw disk and
of the user-mode network is by the guest's clock. Used by bench/run."""
import contextlib
import glob
import lzma
import os
import re
import socket
import stat
import statistics
import subprocess
import sys
import threading

import cases
from measure import newer, seconds

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools")
MEMORY = "512M"
# Boot alone, and what a booted machine does. The second kind counts the boot's
# seconds off.
BOOT = "boot to init"
# What guest/io.c does by its name, and the drivers it loads.
THROUGHPUT = {"disk-read": "disk, read", "disk-write": "disk, write",
              "net-receive": "network, to the guest", "net-send": "network, from the guest"}
MODULES = ["failover", "net_failover", "virtio_net", "virtio_blk"]
DISK_BYTES = NET_BYTES = 256 << 20


def cpio(entries):
    """An initramfs (newc) of (path, mode, data)."""
    out = []

    def member(name, mode, data, number):
        name = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        head = b"070701" + b"".join(b"%08x" % f for f in fields)
        for part in (head + name, data):
            out.append(part + b"\0" * (-len(part) % 4))

    for number, (name, mode, data) in enumerate(entries, 1):
        member(name, mode, data, number)
    member("TRAILER!!!", 0, b"", 0)
    return b"".join(out)


def compile_guest(compiler, source, program, flags=()):
    if not newer(program, source, __file__):
        subprocess.run([compiler, "-std=gnu17", "-O2", "-static", *flags, "-o", program, source], check=True)
    return program


def prepare(build):
    """(kernel, initramfs, cases): what both sides boot."""
    folder = os.path.join(build, "bench", "system")
    root = os.path.join(folder, "root")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([os.path.join(TOOLS, "guest-root"), "riscv64", cases.SUITE, root, "linux-image-riscv64"], check=True)
    kernels = glob.glob(root + "/boot/vmlinu[xz]-*")
    if len(kernels) != 1:
        raise SystemExit(f"bench: {len(kernels)} kernels in {root}/boot")
    native_cc, guest_cc = cases.compilers()
    init = compile_guest(guest_cc, os.path.join(HERE, "guest", "init.c"), os.path.join(folder, "init"))
    forks = os.path.join(HERE, "guest", "forks.c")
    todo = [c for c in cases.kernel_cases(build) if not c.name.endswith(" fma")]
    todo.append(cases.Case("3000 forks", "forks",
                           [compile_guest(native_cc, forks, os.path.join(folder, "forks.x86_64"))],
                           [compile_guest(guest_cc, forks, os.path.join(folder, "forks.riscv64"))]))
    entries = [("dev", stat.S_IFDIR | 0o755, b""), ("proc", stat.S_IFDIR | 0o755, b""),
               ("bench", stat.S_IFDIR | 0o755, b""), ("init", stat.S_IFREG | 0o755, open(init, "rb").read())]
    entries.append(("modules", stat.S_IFDIR | 0o755, b""))
    for number, module in enumerate(MODULES):
        path, = glob.glob(f"{root}/usr/lib/modules/*/kernel/**/{module}.ko.xz", recursive=True)
        entries.append((f"modules/{number}{module}.ko", stat.S_IFREG | 0o644, lzma.open(path).read()))
    io = compile_guest(guest_cc, os.path.join(HERE, "guest", "io.c"), os.path.join(folder, "io.riscv64"))
    entries.append(("bench/io", stat.S_IFREG | 0o755, open(io, "rb").read()))
    entries += [(f"bench/{name}", stat.S_IFLNK | 0o777, b"io") for name in THROUGHPUT]
    for case in todo:
        name = os.path.basename(case.guest[0])
        entries.append((f"bench/{name}", stat.S_IFREG | 0o755, open(case.guest[0], "rb").read()))
    initramfs = os.path.join(folder, "initramfs")
    with open(initramfs, "wb") as out:
        out.write(cpio(entries))
    return kernels[0], initramfs, todo


class Machine:
    """A way to boot; command(kernel, initramfs, append) is its command line, to which
    the options for a raw disk and a user-mode network may be added."""

    def __init__(self, name, command, disk, net):
        self.name, self.command, self.disk, self.net = name, command, disk, net


def find_machines(build, qemu=True):
    found = []
    program = os.path.join(build, "isomorph")
    if os.access(program, os.X_OK):
        found.append(Machine("isomorph", lambda kernel, initramfs, append: [
            os.path.abspath(program), "boot", "--arch", "riscv64", "--kernel", kernel, "--initrd", initramfs,
            "--append", append, "--memory", MEMORY, "--cpus", "1"],
            lambda path: ["--disk", f"{path},format=raw"], ["--net", "user"]))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("ISOMORPH_CACHE") or os.path.join(home, "isomorph", "guest-root")
    versions = {}
    for path in glob.glob(f"{cache}/qemu-system/*/qemu-system-riscv64") if qemu else []:
        text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        version = re.search(r"version (\d+)\.(\d+)", text)
        if version:
            versions[int(version[1]), int(version[2])] = path

    def qemu_command(path):
        return lambda kernel, initramfs, append: [
            path, "-M", "virt", "-m", MEMORY, "-smp", "1", "-nographic", "-no-reboot", "-kernel", kernel,
            "-initrd", initramfs, "-append", append]

    for version in sorted(versions, reverse=True):
        found.append(Machine("QEMU %d.%d" % version, qemu_command(versions[version]),
                             lambda path: ["-drive", f"file={path},format=raw,if=none,id=disk",
                                           "-device", "virtio-blk-pci,drive=disk"],
                             ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]))
    return found


def boot(bench, machine, kernel, initramfs, program="", append="", options=()):
    """One boot: {cpu, text (what the program printed) or why}."""
    append = "console=ttyS0 quiet" + (f" bench={program}" if program else "") + append
    got = bench.measure([*machine.command(kernel, initramfs, append), *options], 1)
    text = open(got["output"], "rb").read().decode("utf-8", "replace").replace("\r", "")
    marked = re.search(r"<<<bench\n(.*)bench>>> (\d+)\n", text, re.S)
    if got["status"]:
        return {"why": "timeout" if got["status"] == 124 else "FAILED", "error": got["error"] or text[-300:]}
    if not marked or marked[2] != "0":
        return {"why": "FAILED", "error": text[-300:]}
    return {"cpu": got["cpu"], "text": marked[1]}


def round_of(bench, machines, case, base, kernel, initramfs):
    """One round of a case: seconds, or {"why"} for each machine. base: seconds
    of each machine's boot alone, None for the boot itself."""
    native = bench.measure(case.native, 1) if case else None
    if native and native["status"]:
        raise SystemExit(f"bench: {case.name}: the native program failed: {native['error']}")
    expected = open(native["output"], "rb").read().decode("utf-8", "replace") if native else ""
    got = {}
    for machine in machines:
        if base and machine.name not in base:
            continue
        run = boot(bench, machine, kernel, initramfs, os.path.basename(case.guest[0]) if case else "")
        if "why" not in run and case and run["text"] != expected:
            run = {"why": "DIFFERS", "error": run["text"][:300]}
        if "why" in run:
            got[machine.name] = run
        else:
            got[machine.name] = {"cpu": max(run["cpu"] - (base[machine.name] if base else 0), 1e-6)}
    return native["cpu"] if native else None, got


def collect(bench, machines, case, base, kernel, initramfs, rounds, qemu_rounds):
    """{"native": seconds or None, machine: {"cpu", "ratio"} or {"why"}}: medians
    over the rounds; a machine that failed once takes no further part."""
    natives, runs, why = [], {m.name: [] for m in machines}, {}
    for number in range(rounds):
        part = [m for m in machines if m.name not in why and (m.name == "isomorph" or number < qemu_rounds)]
        native, got = round_of(bench, part, case, base, kernel, initramfs)
        natives.append(native)
        for name, run in got.items():
            if "why" in run:
                why[name] = run["why"]
                print(f"{case.name if case else BOOT}: {name}: {run['why']}: {run['error']}", file=sys.stderr)
            else:
                runs[name].append((run["cpu"], run["cpu"] / native if native else None))
    result = {"native": statistics.median(natives) if case else None}
    for name, done in runs.items():
        if name in why:
            result[name] = {"why": why[name]}
        elif done:
            result[name] = {"cpu": statistics.median(c for c, _ in done),
                            "ratio": statistics.median(r for _, r in done) if case else None}
    return result


def serve(listener):
    """The host's end of net-receive and net-send, one connection after the other."""
    data = bytes(1 << 20)
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer, contextlib.suppress(OSError):
            if peer.recv(1) == b"r":
                for _ in range(NET_BYTES // len(data)):
                    peer.sendall(data)
                peer.recv(1)
            else:
                left = NET_BYTES
                while left and (got := peer.recv(min(left, 1 << 20))):
                    left -= len(got)
                peer.sendall(b"!")


def throughput(bench, machines, program, kernel, initramfs, rounds, qemu_rounds):
    """{machine: {"rate"} or {"why"}}: megabytes a second, medians; the machines
    alternate."""
    rates, why = {m.name: [] for m in machines}, {}
    disk = os.path.join(os.path.dirname(initramfs), "disk")
    if not os.path.exists(disk) or os.path.getsize(disk) != DISK_BYTES:
        with open(disk, "wb") as out: # in the host's page cache from here on
            for _ in range(DISK_BYTES >> 20):
                out.write(os.urandom(1 << 20))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        append = f" port={listener.getsockname()[1]}"
        for number in range(rounds):
            for machine in machines:
                if machine.name in why or (machine.name != "isomorph" and number >= qemu_rounds):
                    continue
                options = machine.disk(disk) if program.startswith("disk") else machine.net
                run = boot(bench, machine, kernel, initramfs, program, append, options)
                rate = re.search(r"([0-9.]+) MB/s", run.get("text", ""))
                if rate:
                    rates[machine.name].append(float(rate[1]))
                else:
                    why[machine.name] = run.get("why", "FAILED")
                    print(f"{program}: {machine.name}: {run}", file=sys.stderr)
    return {n: {"why": why[n]} if n in why else {"rate": statistics.median(r)} for n, r in rates.items() if r or n in why}


def throughput_table(results, names):
    lines = ["", "| megabytes a second |" + "".join(f" {n} |" for n in names), "|---|" + "--:|" * len(names)]
    for label, row in results:
        cells = [row.get(name, {"why": "-"}) for name in names]
        lines.append(f"| {label} |" + "".join(f" {c.get('why') or round(c['rate'])} |" for c in cells))
    return lines


def table(results, names):
    """Lines of Markdown; the boot's row has seconds, those of throughput megabytes a
    second, the others ratios."""
    rates = [(label, row) for label, row in results if "native" not in row]
    results = [(label, row) for label, row in results if "native" in row]
    lines = ["| in the machine | native |" + "".join(f" {n} |" for n in names), "|---|--:|" + "--:|" * len(names)]
    for label, row in results:
        cells = []
        for name in names:
            cell = row.get(name, {"why": "-"})
            cells.append(cell.get("why") or (f"{cell['ratio']:.2f}" if cell["ratio"] else seconds(cell["cpu"])))
        native = seconds(row["native"]) if row["native"] else ""
        lines.append(f"| {label} | {native} |" + "".join(f" {c} |" for c in cells))
    kernels = [row for label, row in results if row["native"] and not label.endswith("forks")]
    means = []
    for name in names:
        ratios = [row[name]["ratio"] for row in kernels if "ratio" in row.get(name, {})]
        means.append(f"{statistics.geometric_mean(ratios):.2f}" if kernels and len(ratios) == len(kernels) else "-")
    lines.append("| **geometric mean of kernels** | |" + "".join(f" {m} |" for m in means))
    return lines + (throughput_table(rates, names) if rates else [])


def measure_all(bench, build, rounds, qemu_rounds, qemu=True, only=None):
    """[(label, result)], names of the machines; prints progress."""
    kernel, initramfs, todo = prepare(build)
    machines = find_machines(build, qemu)
    names = [m.name for m in machines]
    results = [(BOOT, collect(bench, machines, None, None, kernel, initramfs, rounds, qemu_rounds))]
    base = {n: results[0][1][n]["cpu"] for n in names if "cpu" in results[0][1].get(n, {})}
    print("\n".join(table(results, names)), file=sys.stderr, flush=True)
    for case in todo:
        if only and not any(text in case.name for text in only):
            continue
        results.append((case.name, collect(bench, machines, case, base, kernel, initramfs, rounds, qemu_rounds)))
        print(table(results[-1:], names)[2], file=sys.stderr, flush=True)
    for program, label in THROUGHPUT.items():
        if only and not any(text in label for text in only):
            continue
        results.append((label, throughput(bench, machines, program, kernel, initramfs, rounds, qemu_rounds)))
        print(throughput_table(results[-1:], names)[3], file=sys.stderr, flush=True)
    return results, names

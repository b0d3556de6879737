"""What the benchmark measures: kernels built for this machine and a guest's, and
Debian's programs for both, from guest roots. Each case knows its native command
and its guest command; test/bench/run does the measuring."""
import dataclasses
import glob
import os
import re
import shutil
import subprocess

from measure import newer

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools")
SUITE = "trixie"
PACKAGES = ["python3", "lua5.4", "perl", "sqlite3", "xz-utils", "zstd", "gzip", "dash", "coreutils",
            "nodejs", "openjdk-21-jdk-headless"]
INSIDE = "/isomorph-bench"  # where a root holds the benchmark's files
VARIANTS = {
    "strict": ["-ffp-contract=off"],
    "fma": ["-ffp-contract=fast", "-DKERNEL_FMA=1"],
}


@dataclasses.dataclass
class Guest:
    name: str        # isomorph's and QEMU's
    debian: str      # Debian's
    qemu: list       # options of qemu-user for it: its fastest complete processor

    @property
    def triple(self):
        return f"{self.name}-linux-gnu"


GUESTS = {g.name: g for g in (
    Guest("riscv64", "riscv64", []),
    Guest("aarch64", "arm64", ["-cpu", "max,pauth-impdef=on"]),
)}


@dataclasses.dataclass
class Case:
    name: str
    group: str       # kernel class, "real programs", "cryptography" or "start-up"
    native: list     # a command, in native_root if that is set
    guest: list      # a command for the emulator, paths as the host sees them
    native_root: str = None
    guest_root: str = None
    times: int = 1   # runs that make one measurement
    execs: bool = False  # starts programs, which qemu-user does only with binfmt


# ---- kernels ---------------------------------------------------------------------


def compilers(guest=GUESTS["riscv64"]):
    """The newest version of GCC that is here for both machines."""
    versions = {int(m[1]) for p in glob.glob("/usr/bin/gcc-[0-9]*") if (m := re.search(r"gcc-(\d+)$", p))}
    for version in sorted(versions, reverse=True):
        if shutil.which(f"{guest.triple}-gcc-{version}"):
            return f"gcc-{version}", f"{guest.triple}-gcc-{version}"
    raise SystemExit(f"bench: no version of gcc is here both for x86-64 and {guest.name}: tools/setup bench")


def header_field(text, name):
    match = re.search(rf"^ \* {name}: (.*)$", text, re.M)
    return match[1].strip() if match else ""


def kernel_cases(build, guest=GUESTS["riscv64"]):
    native_cc, guest_cc = compilers(guest)
    out = os.path.join(build, "bench", "kernels")
    os.makedirs(out, exist_ok=True)
    header = os.path.join(HERE, "kernels", "kernel.h")
    cases = []
    for source in sorted(glob.glob(os.path.join(HERE, "kernels", "*.c"))):
        text = open(source).read()
        base = os.path.basename(source)[:-2]
        variants = header_field(text, "variants").split() or [""]
        for variant in variants:
            name = f"{base} {variant}".strip()
            flags = ["-std=gnu17", "-O2", "-static", *header_field(text, "flags").split(),
                     *VARIANTS[variant or "strict"]]
            paths = []
            for cc, suffix, more in ((native_cc, "x86_64", ["-mfma"] if variant == "fma" else []),
                                     (guest_cc, guest.name, [])):
                program = os.path.join(out, f"{base}{'-' if variant else ''}{variant}.{suffix}")
                if not newer(program, source, header, __file__):
                    subprocess.run([cc, *flags, *more, "-o", program, source, "-lm"], check=True)
                paths.append(program)
            cases.append(Case(name, header_field(text, "class"), [paths[0]], [paths[1]]))
    return cases


# ---- real programs ---------------------------------------------------------------


def make_text(size):
    """Compressible text, the same everywhere: words by a linear congruence."""
    state, parts, length = 1, [], 0
    while length < size:
        line = []
        for _ in range(12):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
            number = (state >> 33) % (1 << (3 + (state >> 60)))
            line.append("".join("etaoinshrdlucmfw"[number >> s & 15] for s in range(0, 4 + number.bit_length(), 4)))
        parts.append(" ".join(line))
        length += len(parts[-1]) + 1
    return "\n".join(parts)[:size - 1] + "\n"


def make_c(functions):
    """A C program without includes, of the shapes that programs have."""
    text = ["struct item { struct item *next; long key; int kind; char name[20]; double weight; };\n"
            "unsigned long strlen(const char *); extern struct item *pool; extern long total;\n"]
    for i in range(functions):
        text.append(f"""
static long hash_{i}(const char *s, long n)
{{
	unsigned long h = {i * 2654435761 % 2 ** 32}u;

	for (long k = 0; k < n; k++)
		h = (h ^ (unsigned char)s[k]) * {16777619 + 2 * i}u + (h >> {i % 13 + 3});
	return (long)(h % {1009 + i});
}}

struct item *find_{i}(struct item *list, const char *name, long key)
{{
	for (struct item *p = list; p; p = p->next) {{
		switch (p->kind) {{
		case {i % 7}: if (p->key == key) return p; break;
		case {i % 7 + 9}: p->weight *= {i}.5; break;
		case {i % 5 + 20}: total += hash_{i}(p->name, (long)strlen(p->name)); break;
		case {i % 3 + 30}: if (p->next && p->next->key < key) p = p->next; break;
		default: if (hash_{i}(name, 4) == p->key) p->kind++;
		}}
	}}
	return 0;
}}

void sort_{i}(long *a, int n)
{{
	for (int gap = n / 2; gap; gap /= 2)
		for (int j = gap; j < n; j++) {{
			long v = a[j];
			int k = j;

			for (; k >= gap && a[k - gap] > v + {i % 4}; k -= gap)
				a[k] = a[k - gap];
			a[k] = v;
		}}
}}

double mix_{i}(const double *x, const double *y, double (*f)(double), int n)
{{
	double s = {i}, t[8] = {{ 0 }};

	for (int k = 0; k < n; k++) {{
		t[k % 8] += x[k] * y[n - 1 - k];
		s = s > t[k & 7] ? f(s) : s / (t[k & 7] + {i + 1});
	}}
	return s + t[{i % 8}];
}}
""")
    return "".join(text)


def fill(root, files):
    """Puts the benchmark's files into a root, and a /dev/null (a plain empty
    file where the kernel gives us no device)."""
    null = os.path.join(root, "dev", "null")
    if not os.path.lexists(null):
        try:
            os.mknod(null, 0o20666, os.makedev(1, 3))
        except OSError:
            open(null, "w").close()
    folder = root + INSIDE
    os.makedirs(folder, exist_ok=True)
    for name, data in files.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path) or open(path, "rb").read() != data:
            with open(path, "wb") as out:
                out.write(data)


def input_files():
    files = {name: open(os.path.join(HERE, "real", name), "rb").read()
             for name in ("python.py", "lua.lua", "perl.pl", "sqlite.sql", "shell.sh", "node.js", "Work.java", "crypto.py")}
    files["text"] = make_text(8 << 20).encode()
    files["program.i"] = make_c(100).encode()
    files["exec.sh"] = b"i=0\nwhile [ $i -lt 50 ]; do /usr/bin/true; i=$((i + 1)); done\necho $i\n"
    return files


def find_cc1(root, guest):
    found = [p for p in glob.glob(f"{root}/usr/libexec/gcc*/{guest.triple}/*/cc1")]
    if len(found) != 1:
        raise SystemExit(f"bench: {len(found)} compilers for {guest.name} in {root}")
    return found[0][len(root):]


def real_cases(build, guest=GUESTS["riscv64"]):
    roots = {}
    files = input_files()
    # Both sides compile for the guest, so that they do the same work and print
    # the same: there with the machine's own compiler, here with the cross compiler.
    for arch, gcc in ((guest.debian, "gcc"), ("amd64", f"gcc-{guest.triple}")):
        roots[arch] = os.path.join(build, "bench", "root", arch)
        subprocess.run([os.path.join(TOOLS, "guest-root"), arch, SUITE, roots[arch], *PACKAGES, gcc], check=True)
        fill(roots[arch], files)
    guest_root = roots[guest.debian]
    compiler = glob.glob(f"{guest_root}/usr/bin/{guest.triple}-gcc-[0-9]*")[0][len(guest_root):]
    cc1 = {arch: find_cc1(root, guest) for arch, root in roots.items()}
    cases = []

    def add(name, command, group="real programs", **more):
        per_arch = command if isinstance(command, dict) else {a: command for a in roots}
        there = per_arch[guest.debian]
        cases.append(Case(name, group, per_arch["amd64"], [guest_root + there[0], *there[1:]], roots["amd64"],
                          guest_root, **more))

    at = INSIDE + "/"
    add("python3", ["/usr/bin/python3", "-I", "-B", at + "python.py"])
    add("lua5.4", ["/usr/bin/lua5.4", at + "lua.lua"])
    add("perl", ["/usr/bin/perl", at + "perl.pl"])
    add("sqlite3", ["/usr/bin/sqlite3", "-batch", ":memory:", f".read {at}sqlite.sql"])
    add("xz -2", ["/usr/bin/xz", "-2", "-T1", "-c", at + "text"])
    add("zstd -3", ["/usr/bin/zstd", "-3", "-q", "--single-thread", "-c", at + "text"], times=5)
    add("gzip -6", ["/usr/bin/gzip", "-6", "-n", "-c", at + "text"])
    add("gcc -O2 (cc1)", {a: [c, "-O2", "-quiet", at + "program.i", "-o", "-"] for a, c in cc1.items()})
    add("gcc -O2 (driver)", [compiler, "-O2", "-S", "-o", "-", at + "program.i"], execs=True)
    # execs: QEMU's -L does not reach the lstat calls by which node finds its script.
    add("node", ["/usr/bin/node", at + "node.js"], execs=True)
    # The roots have no /proc, by which java finds its libraries.
    java = {a: f"/usr/lib/jvm/java-21-openjdk-{a}" for a in roots}
    add("java", {a: ["/usr/bin/env", f"LD_LIBRARY_PATH={j}/lib:{j}/lib/server", f"{j}/bin/java", at + "Work.java"]
                 for a, j in java.items()}, execs=True)
    add("sh, 50 forks", ["/usr/bin/dash", at + "shell.sh"], times=10)
    add("sh, 50 execs", ["/usr/bin/dash", at + "exec.sh"], times=2, execs=True)
    for name in ("sha256", "aes-128-cbc"):
        add(f"openssl {name}", ["/usr/bin/python3", "-I", "-B", at + "crypto.py", name], "cryptography")
    add("true", ["/usr/bin/true"], "start-up", times=50)
    add("python3 -c", ["/usr/bin/python3", "-I", "-B", "-c", "print(6 * 7)"], "start-up", times=5)
    add("perl -e", ["/usr/bin/perl", "-e", "print 6 * 7, \"\\n\""], "start-up", times=20)
    return cases

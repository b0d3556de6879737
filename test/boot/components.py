"""An archive of the installer's components for riscv64, for suite installer, from what
this machine's Debian mirror has. Some mirrors carry the installer's packages (udebs) for
one architecture only. What a component holds is mostly scripts, and the same for every
architecture; so it is taken from the mirror's amd64 one, and each program and library in
it is replaced by riscv64's: from Debian's riscv64 packages, or, where only the installer
has it, compiled from Debian's source. Modules of the kernel are those of its package.

What the archive does not have is redirected to the mirror."""
import glob
import gzip
import hashlib
import http.server
import lzma
import os
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request

# Components that are needed for partitioning and not in the netboot initrd.
REPLACED = ["libparted2-udeb", "libparted-fs-resize0-udeb", "libdevmapper1.02.1-udeb", "partman-utils", "partman-base",
            "partman-auto", "partman-partitioning", "partman-basicfilesystems", "dosfstools-udeb", "disk-detect",
            "di-utils-mapdevfs"]
AS_THEY_ARE = ["partman-target", "partman-basicmethods", "partman-ext3", "user-setup-udeb"]
# Made of the files of packages: no mirror's index names a component of amd64.
GATHERED = {"e2fsprogs-udeb": ["sbin/mke2fs", "sbin/mkfs.ext4", "sbin/mkfs.ext3", "sbin/mkfs.ext2", "sbin/e2fsck", "sbin/fsck.ext4",
                               "sbin/tune2fs", "sbin/resize2fs", "lib/*/libext2fs.so.2*", "lib/*/libe2p.so.2*",
                               "lib/*/libcom_err.so.2*", "lib/*/libss.so.2*"]}
# name: (the modules, with those that they need; what it provides)
MODULES = {"scsi-modules": (["virtio_blk", "virtio_scsi"], "scsi-modules"),
           "ext4-modules": (["ext4"], "ext2-modules, ext3-modules, ext4-modules")}
# source package: {program: libraries}
SOURCES = {"partman-base": {"parted_server": ["parted"], "parted_devices": ["parted"], "partmap": ["parted"]},
           "debian-installer-utils": {"mapdevfs": ["debian-installer"]}}
PACKAGES = ["libparted-dev", "libparted-fs-resize0t64", "libdevmapper1.02.1", "e2fsprogs", "dosfstools", "libdebian-installer4-dev",
            "libdebconfclient0-dev", "libc6-dev"]
KERNEL_FIELDS = "Section: debian-installer\nPriority: standard\nMaintainer: test <test@invalid>\nArchitecture: riscv64\n"


class Missing(Exception):
    """The mirror does not have something that it takes."""


def stanzas(text):
    """{package: the fields of its last stanza}."""
    found = {}
    for block in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+):[ \n]*(.*(?:\n .*)*)", block, re.M))
        if "Package" in fields:
            found[fields["Package"]] = fields
    return found


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


class Archive:
    """Made below a folder; url: of the mirror; root: a riscv64 root with PACKAGES and the kernel."""

    def __init__(self, folder, url, root, kernel):
        self.folder, self.url, self.root, self.kernel = folder, url, root, kernel
        self.pool, self.programs = os.path.join(folder, "pool"), os.path.join(folder, "programs")
        shutil.rmtree(folder, ignore_errors=True)
        for path in self.pool, self.programs:
            os.makedirs(path)

    def fetch(self, path):
        try:
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=120) as answer:
                return answer.read()
        except urllib.error.URLError as why:
            raise Missing(f"{path}: {why}") from why

    def index(self, path):
        return stanzas(lzma.decompress(self.fetch(f"dists/trixie/main/{path}.xz")).decode())

    def download(self, path, digest, to):
        data = self.fetch(path)
        if hashlib.sha256(data).hexdigest() != digest:
            raise Missing(f"{path} is not what the index says")
        with open(to, "wb") as out:
            out.write(data)

    def compile(self, name, programs):
        """A source package's programs, into self.programs."""
        source = self.sources[name]
        digest, tar = re.search(r"([0-9a-f]{64}) \d+ (\S+\.tar\.xz)", source["Checksums-Sha256"]).groups()
        packed = os.path.join(self.folder, tar)
        self.download(f"{source['Directory']}/{tar}", digest, packed)
        subprocess.run(["tar", "-xf", packed, "-C", self.folder], check=True)
        include = os.path.join(self.root, "usr/include")
        libraries = os.path.join(self.root, "usr/lib/riscv64-linux-gnu")
        for program, needs in programs.items():
            file, = glob.glob(f"{self.folder}/{name}*/{program}.c")
            found = [path for need in needs for path in glob.glob(f"{libraries}/lib{need}*.so")]
            subprocess.run(["riscv64-linux-gnu-gcc", "-Os", "-w", "-D_GNU_SOURCE", f"-idirafter{include}",
                            f"-idirafter{include}/riscv64-linux-gnu", "-o", os.path.join(self.programs, program), file,
                            "-Wl,--as-needed", *found, f"-Wl,--allow-shlib-undefined,-rpath-link,{libraries}"], check=True)

    def find(self, name):
        """riscv64's program or library of this file name."""
        for folder in (self.programs, *(os.path.join(self.root, f) for f in ("usr/bin", "usr/sbin", "usr/lib/riscv64-linux-gnu"))):
            if os.path.exists(os.path.join(folder, name)):
                return os.path.join(folder, name)
        raise Missing(f"no {name} for riscv64")

    def pack(self, name, tree):
        path = os.path.join(self.pool, f"{name}_riscv64.udeb")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "-b", tree, path], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(tree, "DEBIAN/control")) as file:
            control = file.read()
        shutil.rmtree(tree)
        return self.entry(control, path)

    def entry(self, control, path):
        with open(path, "rb") as file:
            data = file.read()
        return (f"{control.rstrip()}\nFilename: {os.path.relpath(path, self.folder)}\nSize: {len(data)}\n"
                f"SHA256: {hashlib.sha256(data).hexdigest()}\n")

    def control(self, name):
        """Of the riscv64 component, as the index has it."""
        return "".join(f"{field}: {value}\n" for field, value in self.wanted[name].items()
                       if field not in ("Filename", "Size", "MD5sum", "SHA256", "Description-md5"))

    def tree(self, name, control):
        tree = os.path.join(self.folder, name)
        os.makedirs(tree + "/DEBIAN", exist_ok=True)
        with open(tree + "/DEBIAN/control", "w") as out:
            out.write(control)
        return tree

    def replaced(self, name):
        """amd64's component with riscv64's programs."""
        packed, theirs = os.path.join(self.folder, name + ".amd64"), self.amd64[name]
        self.download(theirs["Filename"], theirs["SHA256"], packed)
        tree = os.path.join(self.folder, name)
        subprocess.run(["dpkg-deb", "-R", packed, tree], check=True)
        for folder, _, files in os.walk(tree):
            for file in files:
                if is_elf(os.path.join(folder, file)):
                    shutil.copy(self.find(file), os.path.join(folder, file))
        for folder in glob.glob(f"{tree}/**/x86_64-linux-gnu", recursive=True):
            os.rename(folder, os.path.join(os.path.dirname(folder), "riscv64-linux-gnu"))
        self.tree(name, self.control(name))
        return self.pack(name, tree)

    def gathered(self, name, patterns):
        tree = self.tree(name, self.control(name))
        for pattern in patterns:
            for path in glob.glob(os.path.join(self.root, pattern)):
                to = os.path.join(tree, "usr", os.path.relpath(path, self.root))
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy(path, to, follow_symlinks=False)
        return self.pack(name, tree)

    def modules(self, name, wanted, provides):
        """The kernel's own modules, as the component that the installer looks for."""
        home = f"usr/lib/modules/{self.kernel}"
        full = f"{name}-{self.kernel}-di"
        tree = self.tree(full, f"Package: {full}\nVersion: 1\n{KERNEL_FIELDS}Kernel-Version: {self.kernel}\n"
                               f"Provides: {provides}\nDescription: modules of the kernel\n")
        for path in self.needed(home, wanted):
            to = os.path.join(tree, home, path)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(os.path.join(self.root, home, path), to)
        return self.pack(full, tree)

    def needed(self, home, wanted):
        """Paths of modules and of all that they depend on, by what stands in them."""
        paths = {os.path.basename(path).split(".")[0].replace("-", "_"): path
                 for path in glob.glob("kernel/**/*.ko*", root_dir=os.path.join(self.root, home), recursive=True)}
        found, todo = [], list(wanted)
        while todo:
            path = paths.get(todo.pop().replace("-", "_"))
            if not path or path in found:  # or built in
                continue
            found.append(path)
            with open(os.path.join(self.root, home, path), "rb") as file:
                data = file.read()
            data = lzma.decompress(data) if path.endswith(".xz") else data
            for depends in re.findall(rb"\0depends=([^\0]*)", data):
                todo += depends.decode().split(",")
        return found

    def make(self):
        self.wanted = self.index("debian-installer/binary-riscv64/Packages")
        self.amd64 = self.index("debian-installer/binary-amd64/Packages")
        self.sources = self.index("source/Sources")
        for name, programs in SOURCES.items():
            self.compile(name, programs)
        entries = [self.replaced(name) for name in REPLACED]
        entries += [self.gathered(name, patterns) for name, patterns in GATHERED.items()]
        entries += [self.modules(name, *what) for name, what in MODULES.items()]
        for name in AS_THEY_ARE:
            fields = self.wanted[name]
            entries.append("".join(f"{field}: {value}\n" for field, value in fields.items() if field != "Description-md5"))
        self.publish("\n".join(entries))

    def publish(self, packages):
        folder, name = os.path.join(self.folder, "dists/trixie"), "main/debian-installer/binary-riscv64/Packages.gz"
        data = gzip.compress(packages.encode())
        os.makedirs(os.path.dirname(os.path.join(folder, name)))
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)
        with open(os.path.join(folder, "Release"), "w") as out:
            out.write("Origin: Debian\nSuite: stable\nVersion: 13\nCodename: trixie\nArchitectures: riscv64\nComponents: main\n"
                      f"SHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n")

    def serve(self):
        """A server on a free port of this machine, in a thread of its own."""
        archive = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            """The archive below /debian, else the mirror."""

            def __init__(self, *args):
                super().__init__(*args, directory=archive.folder)

            def send_head(self):
                self.path = self.path.removeprefix("/debian")
                if os.path.isfile(self.translate_path(self.path)):
                    return super().send_head()
                self.send_response(302)
                self.send_header("Location", archive.url + self.path)
                self.end_headers()
                return None

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

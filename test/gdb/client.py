#!/usr/bin/env python3
"""A client of the stub for what a scripted gdb does not do: client.py SOCKET PROGRAM_SYMBOL_ADDRESS

Interrupts the running guest, looks at it, writes its memory, detaches."""
import socket
import sys
import time


class Stub:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(300):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.1)
        self.socket.settimeout(60)
        self.buffer = b""

    def byte(self):
        if not self.buffer:
            self.buffer = self.socket.recv(4096)
            if not self.buffer:
                raise SystemExit("not ok: the connection was closed")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def reply(self):
        while self.byte() != b"$":
            pass
        text = b""
        while (byte := self.byte()) != b"#":
            text += byte
        if int(self.byte() + self.byte(), 16) != sum(text) & 255:
            raise SystemExit("not ok: a wrong checksum")
        try:
            self.socket.send(b"+")
        except OSError:  # the last reply before it closes
            pass
        return text.decode()

    def send(self, text):
        self.socket.send(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 255))

    def ask(self, text):
        self.send(text)
        return self.reply()


def expect(what, got, start):
    if not got.startswith(start):
        raise SystemExit(f"not ok {what}: {got!r}")
    print("ok", what)


def main():
    stub = Stub(sys.argv[1])
    address = sys.argv[2]
    expect("stopped at the start", stub.ask("?"), "T05thread:")
    expect("an unknown packet", stub.ask("jUnknown"), "")
    expect("hardware breakpoints are none", stub.ask(f"Z1,{address},4"), "")
    expect("a bad address", stub.ask("m8,4"), "E")
    expect("a breakpoint nowhere", stub.ask("Z0,8,4"), "E")
    expect("SIGUSR1 passes", stub.ask("QPassSignals:1e"), "OK")
    stub.send("vCont;c")
    sys.stdin.readline()  # the program says that it has come so far
    stub.socket.send(b"\3")
    expect("interrupted", stub.reply(), "T02thread:")
    expect("threads", stub.ask("qfThreadInfo"), "m")
    expect("memory", stub.ask(f"m{address},4"), "00000000")
    expect("written", stub.ask(f"M{address},4:01000000"), "OK")
    expect("read again", stub.ask(f"m{address},4"), "01000000")
    if len(sys.argv) > 3:
        expect("detached", stub.ask("D"), "OK")
    else:
        stub.send("c")
        expect("the end", stub.reply(), "W05")


main()

"""The demo's Python program: what machine is this, and some work."""
import platform
import sys


def primes(limit):
    sieve = bytearray([1]) * limit
    for n in range(2, int(limit ** 0.5) + 1):
        if sieve[n]:
            sieve[n * n::n] = bytes(len(range(n * n, limit, n)))
    return [n for n in range(2, limit) if sieve[n]]


found = primes(1_000_000)
print(f"{len(found)} primes below a million, the last {found[-1]}, their sum {sum(found)}")
print(f"by Python {sys.version.split()[0]} on {platform.machine()}", file=sys.stderr)

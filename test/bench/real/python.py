"""What Python programs do: dictionaries, strings, classes, generators, sorting,
regular expressions, big integers, JSON. Prints one digest."""
import hashlib
import json
import re


class Account:
    def __init__(self, name):
        self.name = name
        self.balance = 0

    def move(self, amount):
        self.balance += amount
        return self


def random(state):
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        yield state >> 33


def words(source, count):
    letters = "etaoinshrdlu"
    for _ in range(count):
        n = next(source)
        yield "".join(letters[(n >> (3 * i)) % 12] for i in range(2 + n % 7))


def queens(n, row=0, columns=0, up=0, down=0):
    if row == n:
        return 1
    free = ~(columns | up | down) & ((1 << n) - 1)
    count = 0
    while free:
        bit = free & -free
        free ^= bit
        count += queens(n, row + 1, columns | bit, (up | bit) << 1, (down | bit) >> 1)
    return count


def main():
    source = random(1)
    out = []
    text = " ".join(words(source, 120000))
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    out.append(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:50])
    out.append(len(re.findall(r"\b(t\w+)\s+(\w*s)\b", text)))
    out.append(re.sub(r"([aeiou])([^aeiou ])", r"\2\1", text)[:200])
    accounts = {}
    for i in range(250000):
        n = next(source)
        accounts.setdefault(n % 997, Account(str(n % 997))).move(n % 1000 - 500)
    out.append([accounts[k].balance for k in sorted(accounts)][:100])
    out.append(queens(9))
    out.append(str(pow(3, 20000) % (10 ** 40)))
    table = json.loads(json.dumps([{"id": i, "tags": [str(i % 7), "x" * (i % 5)], "ratio": i / 7} for i in range(40000)]))
    out.append(sum(len(row["tags"][1]) for row in table))
    out.append(sum(row["ratio"] for row in table))
    print(hashlib.sha256(json.dumps(out).encode()).hexdigest())


main()

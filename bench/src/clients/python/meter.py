"""What the clients in Python have in common: they do one piece of work, and print the sample as JSON."""

import json
import resource
import sys
import time


class Task:
    """What to do, as `bench` tells it."""

    def __init__(self):
        self.work, self.client, self.socket, amount, self.container = sys.argv[1:]
        self.amount = int(amount)


def status(field):
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel tells no memory sizes")


class Meter:
    """Measures this process from its making on."""

    def __init__(self):
        self.resident = status("VmRSS:")
        self.usage = resource.getrusage(resource.RUSAGE_SELF)
        self.begun = time.perf_counter()

    def finish(self, trips=()):
        wall = time.perf_counter() - self.begun
        usage = resource.getrusage(resource.RUSAGE_SELF)
        peak = status("VmHWM:")
        trips = sorted(trips)
        print(json.dumps({
            "wall": wall,
            "user": usage.ru_utime - self.usage.ru_utime,
            "system": usage.ru_stime - self.usage.ru_stime,
            "peak": peak,
            "growth": max(0, peak - self.resident),
            "latency": trips[len(trips) // 2] if trips else 0.0,
            "tail": trips[len(trips) * 99 // 100] if trips else 0.0,
        }))


def check(found, expected):
    """A client that loses output is not fast."""
    if found != expected:
        sys.exit(f"error: expected {expected}, got {found}")


# The bytes of a log line, and the pings before those that are timed.
LINE = 97
WARM_UP = 50

"""docker-py as a client of the benchmarks: its lower half, which does the least beside what was asked for."""

import time

import docker

from meter import LINE, WARM_UP, Meter, Task, check


def logs(client, task):
    follow = task.work == "replay-logs"
    meter = Meter()
    found = 0
    for piece in client.logs(task.container, stdout=True, stderr=True, stream=True, follow=follow):
        found += len(piece)
    meter.finish()
    check(found, task.amount * LINE)


def containers(client, task):
    meter = Meter()
    found = client.containers(all=True)
    meter.finish()
    check(len(found), task.amount)


def pings(client, task):
    trips = []
    for trip in range(WARM_UP + task.amount):
        if trip == WARM_UP:
            meter = Meter()
        begun = time.perf_counter()
        client.ping()
        if trip >= WARM_UP:
            trips.append(time.perf_counter() - begun)
    meter.finish(trips)


task = Task()
works = {"replay-logs": logs, "live-logs": logs, "replay-list": containers, "live-ping": pings}
works[task.work](docker.APIClient(f"unix://{task.socket}", version="auto"), task)

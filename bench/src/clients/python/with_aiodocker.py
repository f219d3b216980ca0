"""aiodocker as a client of the benchmarks."""

import asyncio
import time

import aiodocker

from meter import LINE, WARM_UP, Meter, Task, check


async def logs(docker, task):
    container = docker.containers.container(task.container)
    meter = Meter()
    if task.work == "replay-logs":
        found = 0
        async for piece in container.log(stdout=True, stderr=True, follow=True):
            found += len(piece)
    else:
        found = sum(map(len, await container.log(stdout=True, stderr=True)))
    meter.finish()
    check(found, task.amount * LINE)


async def containers(docker, task):
    meter = Meter()
    found = await docker.containers.list(all=True)
    meter.finish()
    check(len(found), task.amount)


async def pings(docker, task):
    trips = []
    for trip in range(WARM_UP + task.amount):
        if trip == WARM_UP:
            meter = Meter()
        begun = time.perf_counter()
        async with docker._query("_ping") as answer:
            await answer.read()
        if trip >= WARM_UP:
            trips.append(time.perf_counter() - begun)
    meter.finish(trips)


async def main():
    task = Task()
    works = {"replay-logs": logs, "live-logs": logs, "replay-list": containers, "live-ping": pings}
    async with aiodocker.Docker(f"unix://{task.socket}") as docker:
        await works[task.work](docker, task)


asyncio.run(main())

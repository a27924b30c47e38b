"""Sends requests to a server at a steady rate, each on a connection of its own, in a process of its own.

    python -m tests.stream.web.flood PORT REQUESTS_PER_SECOND SECONDS [PATH]

Prints a line of JSON: how many answers of each status came, and how long they took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

AT_ONCE = 100
"""Connections; what cannot be sent for that is not sent."""


async def main(port: int, per_second: float, seconds: float, path: str) -> None:
    statuses: Counter[str] = Counter()
    took_ms: list[float] = []
    free = asyncio.Semaphore(AT_ONCE)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()

    async def ask() -> None:
        began = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head)
            line = await asyncio.wait_for(reader.readline(), 5)
            statuses[line.decode().split(" ")[1]] += 1
            writer.close()
        except (OSError, TimeoutError, IndexError) as error:
            statuses[type(error).__name__] += 1
        took_ms.append((time.monotonic() - began) * 1000)
        free.release()

    began = time.monotonic()
    asked: list[asyncio.Task[None]] = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        await free.acquire()
        asked.append(asyncio.create_task(ask()))
    await asyncio.gather(*asked)
    took_ms.sort()
    answer = {
        "per_second": len(asked) / (time.monotonic() - began),
        "statuses": statuses,
        "p50_ms": took_ms[len(took_ms) // 2],
        "p95_ms": took_ms[int(len(took_ms) * 0.95)],
    }
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), (sys.argv[4:] or ["/api/streams"])[0]))

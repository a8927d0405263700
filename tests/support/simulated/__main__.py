"""``python -m support.simulated``: simulated nodes as a process of their own, until SIGTERM.

SIGUSR1 has all programs that run return. The trace is a file of JSON lines: what, job, time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from support.simulated import connecting, server
from support.simulated.certificates import Pair
from support.simulated.kubelet import Kubelet, Pace

FLUSH_SECONDS = 0.5


async def play(options: argparse.Namespace) -> None:
    """Play the nodes until told to stop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    lines: list[str] = []

    def trace(what: str, job: str, moment: float) -> None:
        lines.append(json.dumps([what, job, moment]))

    async def flush() -> None:
        with options.trace.open("a") as file:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                waiting = list(lines)
                lines.clear()
                file.writelines(f"{line}\n" for line in waiting)
                file.flush()

    pace = Pace(start=options.start, warmup=options.warmup, relist=options.relist, spread=options.spread)
    nodes = [f"simulated-{number}" for number in range(options.nodes)]
    async with connecting.client(options.kubeconfig) as kube:
        kubelet = Kubelet(kube, nodes, options.port, pods_per_node=options.pods_per_node, pace=pace, trace=trace)
        pair = Pair(options.certificate, options.key)
        listening = await server.serve(kubelet.running, kubelet.known, pair, str(options.authority), options.port)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGUSR1, kubelet.finish)
        tasks = [asyncio.create_task(kubelet.run()), asyncio.create_task(flush())]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=stop.is_set())


def main() -> None:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kubeconfig", "certificate", "key", "authority", "trace"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, default=6)
    parser.add_argument("--pods-per-node", type=int, default=4000)
    for name in ("start", "warmup", "relist", "spread"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    asyncio.run(play(parser.parse_args()))


if __name__ == "__main__":
    main()

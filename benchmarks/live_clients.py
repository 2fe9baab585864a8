"""Fifty clients of `sayso serve --http` at once: how long after a hop's last sample was sent its answer is there.

`python -m benchmarks.live_clients MODEL` serves a run's folder or a `model.onnx` in a process of its own, and has
another process send each stream packets of 20 ms at 16 kHz in real time, each stream at a moment of its own. Every hop
is asked for, so that no answer is left out; an answer counts from the moment its newest sample was handed over.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

RATE, PACKET_SECONDS = 16_000, 0.02
PACKET = round(RATE * PACKET_SECONDS)
WARM_SECONDS = 2.0


def main() -> None:
    """Serve, have clients ask, and print the delays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--port", type=int, help="of a server that runs already: be the clients alone")
    options = parser.parse_args()
    if options.port:
        print(json.dumps(asyncio.run(_ask_all(options.port, options.streams, options.seconds))))
        return
    command = [sys.executable, "-m", "sayso", "serve", "--model", str(options.model), "--http", "127.0.0.1:0"]
    command += ["--most-streams", str(options.streams)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    try:
        port = next(found[1] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:(\d+)/;", line)))
        again = [sys.executable, "-m", "benchmarks.live_clients", *sys.argv[1:], "--port", port]
        told = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
        processor = _processor_seconds(server.pid)
    finally:
        server.terminate()
        server.communicate()
    delays = 1000 * np.array(told["delays"])
    print(f"{options.streams} streams of {options.seconds:g} s: {len(delays):,} answers, {told['missing']} missing")
    print(
        "  ".join(f"{name} {np.percentile(delays, share):.1f} ms" for name, share in (("p50", 50), ("p99", 99))), end=""
    )
    print(f"  most {delays.max():.1f} ms; the server took {processor / told['wall']:.2f} processors")


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def _ask_all(port: int, streams: int, seconds: float) -> dict[str, object]:
    begin = time.monotonic()
    answers = await asyncio.gather(
        *(_ask(port, seconds, place * PACKET_SECONDS / streams, place) for place in range(streams))
    )
    delays = [delay for each, _ in answers for delay in each]
    return {"delays": delays, "missing": sum(missing for _, missing in answers), "wall": time.monotonic() - begin}


async def _ask(port: int, seconds: float, offset: float, seed: int) -> tuple[list[float], int]:
    packets = round(seconds / PACKET_SECONDS)
    sound = np.random.default_rng(seed).normal(0, 1000, (50, PACKET)).astype("<i2")
    sent: list[float] = []
    async with connect(f"ws://127.0.0.1:{port}/api/stream", ping_interval=None, compression=None) as client:
        await client.send(json.dumps({"rate": RATE, "format": "s16le", "hops": True}))
        ready = json.loads(await client.recv())
        reading = asyncio.create_task(_read(client, sent))
        begin = time.monotonic() + 1 + offset
        for number in range(packets):
            await asyncio.sleep(max(0, begin + number * PACKET_SECONDS - time.monotonic()))
            sent.append(time.monotonic())
            await client.send(sound[number % len(sound)].tobytes())
        await client.send(json.dumps({"type": "end"}))
        delays, hops = await reading
    wanted = int((packets * PACKET_SECONDS - ready["window_seconds"]) / ready["hop_seconds"] + 1e-6) + 1
    return delays, wanted - hops


async def _read(client: ClientConnection, sent: list[float]) -> tuple[list[float], int]:
    delays: list[float] = []
    hops = 0
    async for text in client:
        now, message = time.monotonic(), json.loads(text)
        if message["type"] == "hop":
            hops += 1
            if message["end"] > WARM_SECONDS:
                delays.append(now - sent[int(np.ceil(message["end"] / PACKET_SECONDS - 1e-6)) - 1])
    return delays, hops


if __name__ == "__main__":
    main()

"""Memory over a long life in a world that grows: more devices, names, classes and columns all the time.

usage: growing_world.py PERENNIAL [--learner auto] [--events 10_000_000] [--every 1_000_000]

Feeds `perennial replay` through a pipe and prints the resident size of the process on the way, and what it says of the
model at the end. Devices (entities) grow to 50,000, names of a nominal column to 20,000, classes to 6, columns to 20; the rule
changes now and then.
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("perennial")
parser.add_argument("--learner", default="auto")
parser.add_argument("--events", type=lambda s: int(s.replace("_", "")), default=10_000_000)
parser.add_argument("--every", type=lambda s: int(s.replace("_", "")), default=1_000_000)
given = parser.parse_args()


def events():
    """Yields JSON lines; numbers from a generator of its own, fast and the same everywhere."""
    state = 1
    for i in range(given.events):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        grown = (i + 1) / given.events
        device = (state >> 33) % (1 + int(50_000 * grown))
        name = (state >> 21) % (1 + int(20_000 * grown))
        columns = 4 + int(16 * grown)
        values = [((state >> (k * 3)) & 1023) / 1023 for k in range(columns)]
        score = values[i // 500_000 % 4] + 0.5 * values[1] + 0.1 * (device % 3)
        label = int(score * (2 + int(4 * grown)) / 1.8)
        columns = ",".join(f'"c{k}":{v:.4f}' for k, v in enumerate(values))
        yield f'{{"id":{i},"at":{1_700_000_000_000 + i * 50},"device":"d{device}","name":"n{name}",{columns},"y":"{label}"}}\n'


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


with tempfile.TemporaryDirectory() as folder:
    pipe = os.path.join(folder, "events.jsonl")
    os.mkfifo(pipe)
    replay = ["replay", pipe, "--task", "classification", "--target", "y", "--time", "at", "--entity", "device", "--id", "id"]
    process = subprocess.Popen([given.perennial, *replay, "--learner", given.learner, "--json"], stdout=subprocess.PIPE)
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.read()))
    reader.start()
    began = time.monotonic()
    print("| events | resident MB | seconds |\n|---|---|---|", flush=True)
    with open(pipe, "w", buffering=1 << 16) as out:
        for i, line in enumerate(events(), 1):
            out.write(line)
            if i % given.every == 0:
                print(f"| {i:,} | {resident(process.pid):.0f} | {time.monotonic() - began:.0f} |", flush=True)
    reader.join()
    code = process.wait()
    told = json.loads(said[0])
    print({key: told[key] for key in ("events", "accuracy", "events_per_cpu_second", "model_bytes", "peak_rss_bytes")})
    raise SystemExit(code)

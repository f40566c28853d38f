"""Sends seeded events to a topic with confluent-kafka, a producer that is not ours, and tells what it sent.

usage: produce.py BROKERS TOPIC KIND SEED EVENTS RATE OUT.json

KIND is `air` (regression on `co`) or `load` (classification on `up`). One record in a hundred is broken, one in two
hundred is a tombstone. OUT.json gets {"sum", "good", "bad": ["topic/partition/offset", ...], "tombstones", "last",
"not_good": [id, ...]}: ids are 1 to `last`, the good ones are not in `not_good`, `sum` is the sum of their ids. Partitions
added on the way get their share. SIGTERM ends it early: it sends no more, waits until all is delivered and tells.
"""

import json
import math
import random
import signal
import sys
import time

from confluent_kafka import Producer

brokers, topic, kind, seed, events, rate, out = sys.argv[1:]
rng = random.Random(int(seed))
told = {"sum": 0, "good": 0, "bad": [], "tombstones": 0, "last": 0, "not_good": []}
failed = []


def air(i):
    season = math.sin(i / 500.0)
    t = 20 + 8 * season + rng.gauss(0, 1)
    rh = 50 - 2 * season + rng.gauss(0, 3)
    co = 0.1 * t - 0.02 * rh + (2.0 if i > 20_000 else 0.0) + rng.gauss(0, 0.1)
    return {"id": i, "t": round(t, 3), "rh": round(rh, 3), "station": {"name": f"s{i % 5}"}, "co": round(co, 4)}


def load(i):
    demand, price = rng.random(), rng.random()
    up = demand + price > (1.0 if i < 20_000 else 1.3)
    return {"id": i, "day": i // 48 % 7, "demand": round(demand, 5), "price": round(price, 5), "up": int(up)}


make, target = {"air": (air, "co"), "load": (load, "up")}[kind]


def broken(i):
    event = make(i)
    how = rng.randrange(5)
    if how == 0:
        return json.dumps(event)[:-1]
    if how == 1:
        del event[target]
        return json.dumps(event)
    if how == 2:
        return json.dumps({**event, "x": 0}).replace('"x": 0', '"x": 1e999')
    if how == 3:
        return json.dumps({**event, target: None})
    return ""


def delivered(role, i):
    def note(error, message):
        if error is not None:
            failed.append(str(error))
        elif role == "bad":
            told["bad"].append(f"{message.topic()}/{message.partition()}/{message.offset()}")
        elif role == "tombstone":
            told["tombstones"] += 1
        else:
            told["good"] += 1
            told["sum"] += i

    return note


producer = Producer({
    "bootstrap.servers": brokers,
    "enable.idempotence": True,
    "linger.ms": 5,
    "topic.metadata.refresh.interval.ms": 1000,
    "log_level": 2,
})
partitions = 0
asked_to_end = False


def end(*_):
    global asked_to_end
    asked_to_end = True


signal.signal(signal.SIGTERM, end)
began = time.monotonic()
for i in range(1, int(events) + 1):
    if asked_to_end:
        break
    if i % 1000 == 1:
        partitions = len(producer.list_topics(topic, timeout=60).topics[topic].partitions)
    draw = rng.random()
    if draw < 0.01:
        role, value = "bad", broken(i)
    elif draw < 0.015:
        role, value = "tombstone", None
    else:
        role, value = "good", json.dumps(make(i))
    while True:
        try:
            producer.produce(topic, key=str(i), value=value, partition=rng.randrange(partitions), on_delivery=delivered(role, i))
            break
        except BufferError:
            producer.poll(0.1)
    told["last"] = i
    if role != "good":
        told["not_good"].append(i)
    producer.poll(0)
    if i % 50 == 0:
        time.sleep(max(0.0, began + i / float(rate) - time.monotonic()))
if producer.flush(60) > 0 or failed:
    sys.exit(f"not delivered: {failed[:3]}")
with open(out, "w") as file:
    json.dump(told, file)

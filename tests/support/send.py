"""Sends lines with confluent-kafka, a producer that is not ours, when it is told to.

usage: send.py BROKERS

Each line on standard input is a topic, a tab and a value, for partition 0. An empty line asks for "ok" on standard
output once everything before it is acknowledged.
"""

import sys

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": sys.argv[1], "enable.idempotence": True, "linger.ms": 2})
failed = []


def delivered(error, _message):
    if error is not None:
        failed.append(str(error))


for line in sys.stdin:
    line = line.rstrip("\n")
    if line:
        topic, value = line.split("\t", 1)
        while True:
            try:
                producer.produce(topic, value=value, partition=0, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    else:
        if producer.flush(60) > 0 or failed:
            sys.exit(f"not delivered: {failed[:3]}")
        print("ok", flush=True)

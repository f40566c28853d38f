"""River's and MOA's drift detectors in the worlds of `cargo bench -p learners --bench decay`, in the same columns.

    pip install river==0.26.1
    python benchmarks/decay_vs_river.py                  # River
    pip install --no-deps capymoa==0.15.1 && pip install JPype1    # Java 17; CapyMOA's wheel holds moa.jar
    python benchmarks/decay_vs_river.py --moa            # MOA instead

Every detector at its defaults, and where one is known at the threshold that makes one false alarm in a million events
for ours. An alarm is what the detector calls a drift, whichever way the loss went (River's Page-Hinkley in its mode
"up"); alarms at most 320 events after the last one are the same. Detectors reset as their library resets them. Delays
are from the change at event 20,000 to the first alarm, median / 90 %; "-": not within 20,000. "falling": alarms per
million events while an error rate falls from .5 to .15 and nothing else happens. KSWIN is left out: it takes tens of
microseconds an event.
"""

import argparse
import importlib.util
import math
import pathlib
import random

CHANGE, HORIZON, SAME = 20_000, 20_000, 320
RATES = [0.02, 0.1, 0.2, 0.3, 0.4]


def river_detectors():
    from river import drift

    binary = drift.binary

    def of(build):
        def start():
            detector = build()

            def update(loss):
                detector.update(loss)
                return detector.drift_detected

            return update

        return start

    return [
        ("River ADWIN, default", of(drift.ADWIN)),
        ("River ADWIN, delta .0096", of(lambda: drift.ADWIN(delta=0.0096))),
        ("River Page-Hinkley, default", of(lambda: drift.PageHinkley(mode="up"))),
        ("River Page-Hinkley, threshold 56.5", of(lambda: drift.PageHinkley(mode="up", threshold=56.5))),
        ("River DDM, default", of(binary.DDM)),
        ("River EDDM, default", of(binary.EDDM)),
        ("River HDDM-A, default", of(binary.HDDMA)),
        ("River HDDM-A, confidence .00017", of(lambda: binary.HDDMA(drift_confidence=0.00017, warning_confidence=0.001))),
        ("River HDDM-W, default", of(binary.HDDMW)),
    ]


def moa_detectors():
    import jpype

    # The package itself would import torch and pandas; only its jar is needed.
    folder = pathlib.Path(importlib.util.find_spec("capymoa").origin).parent
    jpype.startJVM("-Xmx1g", classpath=[str(folder / "jar" / "moa.jar")])

    def of(name, options=""):
        java = jpype.JClass("moa.classifiers.core.driftdetection." + name)

        def start():
            detector = java()
            if options:
                detector.getOptions().setViaCLIString(options)
            detector.prepareForUse()
            feed, changed = detector.input, detector.getChange

            def update(loss):
                feed(loss)
                return changed()

            return update

        return start

    return [
        ("MOA ADWIN, default", of("ADWINChangeDetector")),
        ("MOA ADWIN, delta .0096", of("ADWINChangeDetector", "-a 0.0096")),
        ("MOA Page-Hinkley, default", of("PageHinkleyDM")),
        ("MOA Page-Hinkley, lambda 56.5", of("PageHinkleyDM", "-l 56.5")),
        ("MOA DDM, default", of("DDM")),
        ("MOA HDDM-A, default", of("HDDM_A_Test")),
        ("MOA HDDM-A, confidence .00017", of("HDDM_A_Test", "-d 0.00017")),
        ("MOA HDDM-W, default", of("HDDM_W_Test")),
        ("MOA EWMA, default", of("EWMAChartDM")),
        ("MOA STEPD, default", of("STEPD")),
    ]


def errors(seed, events, rate):
    """0.0 or 1.0; `rate(t, last)` is the chance of a 1."""
    uniform = random.Random(seed).random
    last = 0.0
    for t in range(events):
        last = 1.0 if uniform() < rate(t, last) else 0.0
        yield last


def alarms(start, losses):
    update, found, last = start(), [], -SAME - 1
    for t, loss in enumerate(losses):
        if update(loss):
            if t > last + SAME:
                found.append(t)
            last = t
    return found


def false_alarms(start, streams, events, rate):
    return sum(len(alarms(start, errors(seed, events, rate))) for seed in range(streams)) / (streams * events) * 1e6


def markov(p, rho):
    return lambda t, last: p * (1 - rho) + (rho if last else 0.0)


def season(p, period):
    return lambda t, last: p + 0.05 * math.sin(2 * math.pi * t / period)


def learning(t):
    return 0.15 + 0.35 * math.exp(-t / 2_000)


def delay(start, seeds, rate):
    delays = []
    for seed in range(seeds):
        after = [t - CHANGE for t in alarms(start, errors(50_000 + seed, CHANGE + HORIZON, rate)) if t >= CHANGE]
        delays.append(after[0] if after else math.inf)
    delays.sort()
    shown = [delays[math.ceil(seeds * share) - 1] for share in (0.5, 0.9)]
    return " / ".join("-" if math.isinf(n) else str(n) for n in shown)


def jump(rise):
    return lambda t, last: 0.2 + (rise if t >= CHANGE else 0.0)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--moa", action="store_true", help="MOA's detectors instead of River's")
    arguments.add_argument("--streams", type=int, default=4, help="of 200,000 events, for each stationary rate")
    arguments.add_argument("--seeds", type=int, default=20, help="for each delay")
    given = arguments.parse_args()
    print("| detector | stationary worst / mean | Markov .6 worst | season 1,000 | falling | + .05 | + .1 | + .2 | learned |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    half = max(1, given.streams // 2)
    for label, start in moa_detectors() if given.moa else river_detectors():
        still = [false_alarms(start, given.streams, 200_000, markov(p, 0.0)) for p in RATES]
        chained = max(false_alarms(start, half, 200_000, markov(p, 0.6)) for p in RATES)
        seasonal = [false_alarms(start, half, 200_000, season(p, 1_000)) for p in RATES[1:]]
        falling = false_alarms(start, given.seeds, CHANGE, lambda t, last: learning(t))
        jumps = [delay(start, given.seeds, jump(rise)) for rise in (0.05, 0.1, 0.2)]
        learned = delay(start, given.seeds, lambda t, last: learning(t) + (0.1 if t >= CHANGE else 0.0))
        cells = [f"{max(still):.1f} / {sum(still) / 5:.1f}", f"{chained:.0f}", f"{sum(seasonal) / 4:.1f}", f"{falling:.0f}"]
        print(f"| {label} | {' | '.join([*cells, *jumps, learned])} |", flush=True)


if __name__ == "__main__":
    main()

"""Records the intervals of librosa.effects.split for the test media and a generated signal, one JSON file each.

    python make.py MEDIA_DIRECTORY

Needs librosa, numpy and ffmpeg. `generated` is the same signal as in tests/services/stage-librosa/signal.ts. It uses integers only,
so both languages produce equal bytes, which the recorded hash verifies.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

import librosa
import numpy

HERE = pathlib.Path(__file__).parent
RATE = 22050
MEDIA = [
    "walk-and-talk.mp4",
    "walk-and-talk-copy.webm",
    "long-5min.mp4",
    "jfk.wav",
    "audio-only-sonnet1.mp4",
    "portrait-rotated.mp4",
    "car-detection-silent-track.mp4",
]


def decode(path):
    """Samples as stage-ffmpeg-0 makes them, int16."""
    args = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", path, "-vn", "-ac", "1", "-ar", str(RATE)]
    # s16le instead of WAV: the same samples without the header.
    return numpy.frombuffer(subprocess.run([*args, "-c:a", "pcm_s16le", "-f", "s16le", "-"], check=True, capture_output=True).stdout, "<i2")


def generated():
    """Noise bursts of falling loudness, 1/8 s to 1 s long, between pauses of hiss or digital silence."""
    state, samples = 1, []
    for burst in range(40):
        for amplitude, length in ((30000 >> (burst % 9), 2756 * (1 + burst % 8)), (burst * 2 % 50, 1378 * (1 + burst % 11))):
            for _ in range(length):
                state = (state * 1664525 + 1013904223) % 2**32
                samples.append(((state >> 16) - 32768) * amplitude >> 15)
    return numpy.array(samples, "<i2")


def record(name, samples):
    y = samples.astype(numpy.float32) / 32768
    intervals = {top_db: librosa.effects.split(y, top_db=top_db).tolist() for top_db in range(24, 50)}
    head = {"samples": len(samples), "sha256": hashlib.sha256(samples.tobytes()).hexdigest(), "librosa": librosa.__version__}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    rows = [f'  "{top_db}": {json.dumps(found, separators=(",", ":"))}' for top_db, found in intervals.items()]
    lines.append('"intervals": {\n' + ",\n".join(rows) + "\n}")
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(name, len(samples), [len(found) for found in intervals.values()])


record("generated", generated())
record("generated-short", generated()[:8820])
for name in MEDIA:
    record(name, decode(pathlib.Path(sys.argv[1]) / name))

"""Transcribes a file with faster-whisper: `transcribe.py MODEL WAV THREADS`, int8, with voice activity detection and word times.
Prints the segments, the wall time and the processor time as JSON. The model is loaded and used once before the measurement."""
import json, resource, sys, time
from faster_whisper import WhisperModel, decode_audio


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


model_path, wav, threads = sys.argv[1:]
model = WhisperModel(model_path, device="cpu", compute_type="int8", cpu_threads=int(threads))
options = {"vad_filter": True, "word_timestamps": True}
list(model.transcribe(decode_audio(wav)[: 16000 * 5], **options)[0])
began, used = time.monotonic(), cpu_ms()
segments, _ = model.transcribe(wav, **options)
found = [{"start": s.start, "end": s.end, "text": s.text} for s in segments]
print(json.dumps({"wall_ms": (time.monotonic() - began) * 1000, "cpu_ms": cpu_ms() - used, "utterances": found}))

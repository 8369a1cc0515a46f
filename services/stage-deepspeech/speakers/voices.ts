import { withWav } from '../../../shared/media/wav.ts';
import { VOICE_UNIT } from '../../../shared/results/speakers.ts';
import type { Utterance } from '../engine.ts';
import { SAMPLE_RATE, type Span } from '../voice-activity.ts';
import { WINDOW_SECONDS, type VoiceEncoder, type VoiceWindow } from './voice-encoder.ts';

/** Minimum length of an utterance, in seconds. */
const MIN_SECONDS = 0.3;

/**
 * Maximum cosine between the voices before and after a change of the speaker. On recordings of three readers, it is at least 0.62
 * within 5 to 15 seconds of one reader, and at most 0.65 in 90 % of the mixtures of two of the same length.
 */
const MAX_CHANGE_SIMILARITY = 0.62;

/** Minimum number of windows in which a change is searched. A side of one window is reliable only beside a longer one. */
const MIN_CHANGE_WINDOWS = 4;

/** Distance of the change to the word at which the utterance is split, in seconds: a window and its neighbour's overlap. */
const MAX_CHANGE_DISTANCE = 2;

/** Adds the voice to each utterance, and splits utterances of two speakers. @param wav Path of the WAV file that was transcribed. */
export async function addVoices(utterances: readonly Utterance[], wav: string, encoder: VoiceEncoder): Promise<Utterance[]> {
  const samples = await readSamples(wav);
  const voiced: Utterance[] = [];
  for (const utterance of utterances) voiced.push(...(await addVoice(utterance, samples, encoder)));
  return voiced;
}

async function addVoice(utterance: Utterance, samples: Float32Array, encoder: VoiceEncoder): Promise<Utterance[]> {
  const spoken = slice(samples, utterance);
  if (spoken.length < MIN_SECONDS * SAMPLE_RATE) return [utterance];
  const windows = await encoder.encode(spoken);
  const change = findChange(windows);
  const word = change && (await findFirstWord(utterance, change, spoken, encoder));
  if (word === undefined) return [{ ...utterance, voice: toText(average(windows)) }];
  const [before, after] = splitUtterance(utterance, word);
  return [...(await addVoice(before, samples, encoder)), ...(await addVoice(after, samples, encoder))];
}

/** A change of the speaker. */
interface Change {
  /** Time from the start of the utterance, in seconds, with an error of up to a window. */
  readonly at: number;
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** Returns the boundary between windows at which the voices differ most, if they are the voices of two speakers. */
function findChange(windows: readonly VoiceWindow[]): Change | undefined {
  if (windows.length < MIN_CHANGE_WINDOWS) return undefined;
  const changes = windows.slice(1).map(({ at }, n) => ({
    at: (at + (windows[n]?.at ?? 0)) / 2,
    before: average(windows.slice(0, n + 1)),
    after: average(windows.slice(n + 1)),
  }));
  const change = changes.reduce((a, b) => (computeCosine(b.before, b.after) < computeCosine(a.before, a.after) ? b : a));
  return computeCosine(change.before, change.after) < MAX_CHANGE_SIMILARITY ? change : undefined;
}

/** Returns the index of the first word of the second speaker: the first of a sentence if one begins near the change. */
async function findFirstWord(
  { start, words }: Utterance,
  { at, before, after }: Change,
  spoken: Float32Array,
  encoder: VoiceEncoder,
): Promise<number | undefined> {
  const near = words.flatMap((word, n) => (n > 0 && Math.abs(word.start - start - at) <= MAX_CHANGE_DISTANCE ? [n] : []));
  const sentences = near.filter((n) => /[.?!…。？！]["'”’»」』)]*$/u.test(words[n - 1]?.text ?? ''));
  const candidates = sentences.length > 0 ? sentences : near;
  if (candidates.length < 2) return candidates[0];
  let best: { word: number; fit: number } | undefined;
  for (const word of candidates) {
    const time = (words[word]?.start ?? start) - start;
    const left = average(await encoder.encode(slice(spoken, { start: Math.max(0, time - WINDOW_SECONDS), end: time })));
    const right = average(await encoder.encode(slice(spoken, { start: time, end: time + WINDOW_SECONDS })));
    const compare = (vector: Float32Array): number => computeCosine(vector, before) - computeCosine(vector, after);
    const fit = compare(left) - compare(right);
    if (fit > (best?.fit ?? -Infinity)) best = { word, fit };
  }
  return best?.word;
}

/** Splits an utterance before a word. */
function splitUtterance({ start, end, text, words }: Utterance, word: number): [Utterance, Utterance] {
  let at = 0;
  for (const { text: each } of words.slice(0, word)) at = Math.max(at, text.indexOf(each, at) + each.length);
  return [
    { start, end: words[word - 1]?.end ?? end, text: text.slice(0, at).trim(), words: words.slice(0, word) },
    { start: words[word]?.start ?? start, end, text: text.slice(at).trim(), words: words.slice(word) },
  ];
}

async function readSamples(path: string): Promise<Float32Array> {
  return withWav(path, SAMPLE_RATE, async ({ samples, pieces }) => {
    const all = new Float32Array(samples);
    let at = 0;
    for await (const piece of pieces()) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  });
}

function slice(samples: Float32Array, { start, end }: Span): Float32Array {
  return samples.subarray(Math.round(start * SAMPLE_RATE), Math.round(end * SAMPLE_RATE));
}

/** Returns the mean of the embeddings, which is shorter than they are if they differ. */
function average(windows: readonly VoiceWindow[]): Float32Array {
  const mean = new Float32Array(windows[0]?.embedding.length ?? 0);
  for (const { embedding } of windows) embedding.forEach((value, n) => (mean[n] = (mean[n] ?? 0) + value / windows.length));
  return mean;
}

function computeCosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, n) => sum + value * (b[n] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b) + 1e-12);
}

/** Encodes a vector without negative components as base64 of unsigned bytes. */
function toText(vector: Float32Array): string {
  return Buffer.from(vector.map((value) => Math.min(255, Math.round(value / VOICE_UNIT)))).toString('base64');
}

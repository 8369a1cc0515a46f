import type { Detections, Media, Transcript } from '../../schemas/generated/types.ts';
import { nameSpeakers } from './speakers.ts';

/** Recognised speech from `start` to `end`, in seconds of the input. */
export interface TimelineUtterance {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** `speaker 1`, `speaker 2`, … in order of appearance; absent if the voice is unknown. */
  readonly speaker?: string;
  readonly words: Transcript['utterances'][number]['words'];
}

/** An object in consecutive frames, in seconds of the input. */
export interface TimelineObject {
  readonly label: string;
  readonly start: number;
  /** Midpoint of the last frame with the object and the next frame; for the last frame, the end of the clip. */
  readonly end: number;
  /** Highest score of the frames. */
  readonly score: number;
  /** Maximum number of such objects in one frame. */
  readonly count: number;
}

/** The merged result of a request. */
export interface Timeline {
  /** Duration of the input, in seconds; null until it has been probed. */
  readonly duration: number | null;
  /** Names of the speech recognition engines. */
  readonly engines: readonly string[];
  /** Why a better engine was not used. */
  readonly notices?: readonly string[];
  readonly utterances: readonly TimelineUtterance[];
  readonly objects: readonly TimelineObject[];
}

/** Merges the artifacts of a request's clips; their order has no effect. */
export function mergeTimeline({
  media,
  transcripts,
  detections,
}: {
  media?: Media | undefined;
  transcripts: readonly Transcript[];
  detections: readonly Detections[];
}): Timeline {
  const notices = [...new Set(transcripts.flatMap(({ notice }) => notice ?? []))];
  return {
    duration: media?.duration ?? null,
    engines: [...new Set(transcripts.map(({ engine }) => engine))].sort(),
    ...(notices.length > 0 && { notices }),
    utterances: mergeUtterances(transcripts),
    objects: mergeDetections(detections),
  };
}

/** An utterance or an object, without its details. */
export type TimelineEntry =
  | { readonly type: 'speech'; readonly start: number; readonly end: number; readonly text: string; readonly speaker?: string }
  | { readonly type: 'object'; readonly start: number; readonly end: number; readonly label: string; readonly score: number };

/** Returns all utterances and objects in one list, by their start. */
export function listEntries({ utterances, objects }: Pick<Timeline, 'utterances' | 'objects'>): TimelineEntry[] {
  return [
    ...utterances.map(({ start, end, text, speaker }): TimelineEntry => ({
      ...{ type: 'speech', start, end, text },
      ...(speaker !== undefined && { speaker }),
    })),
    ...objects.map(({ start, end, label, score }): TimelineEntry => ({ type: 'object', start, end, label, score })),
  ].sort(byTime);
}

/** Merges the utterances of all clips and names their speakers, which no clip can do alone. */
function mergeUtterances(transcripts: readonly Transcript[]): TimelineUtterance[] {
  const utterances = transcripts.flatMap((transcript) => transcript.utterances).sort(byTime);
  const speakers = nameSpeakers(utterances);
  return utterances.map(({ start, end, text, words }, n) => {
    const speaker = speakers[n];
    return { start, end, ...(speaker !== undefined && { speaker }), text, words };
  });
}

/** Maximum gap between the frames of consecutive clips, in seconds: a clip ends on a frame, not on a sample. */
const MAX_GAP_SECONDS = 0.25;

/** Minimum scores of listed objects, calibrated for the shipped model (docs/detection.md). */
export interface ListingRule {
  /** In each of two or more consecutive frames. */
  readonly supported: number;
  /** In one frame, without the support of a neighbouring frame. */
  readonly confident: number;
  /** In one frame, for a label of {@link VEHICLES}. */
  readonly vehicle: number;
}

export const LISTING_RULE: ListingRule = { supported: 0.4, confident: 0.6, vehicle: 0.35 };

/** Road vehicles often pass through the picture between two frames, so that no neighbouring frame can support them. */
const VEHICLES: ReadonlySet<string> = new Set(['bicycle', 'car', 'motorcycle', 'bus', 'truck']);

/** Minimum duration of such an object, in seconds. If the frames are closer, as at a scene change, the neighbours must support it as well. */
const MIN_VEHICLE_SECONDS = 0.5;

/** A frame with the time until which its objects are assumed to be present. */
interface FrameSpan {
  readonly time: number;
  readonly until: number;
  readonly objects: Detections['frames'][number]['objects'];
}

/** An object with the number of its consecutive frames and the time of the last one. */
type Track = TimelineObject & { readonly frames: number; readonly last: number };

/**
 * Merges detections of the same label: an object is present from the first frame with it until half way to the next frame without it,
 * which is the best estimate between two frames. An object is listed if one frame is confident or two consecutive frames agree. A video
 * of one frame has no neighbours, so that frame suffices.
 * @param rule For the calibration.
 */
export function mergeDetections(detections: readonly Detections[], rule = LISTING_RULE): TimelineObject[] {
  const spans: FrameSpan[] = [...detections]
    .sort(byTime)
    .flatMap(({ frames, end }) =>
      frames.map(({ time, objects }, n) => ({ time, objects, until: Math.max(time, frames[n + 1]?.time ?? end) })),
    );
  return trackLabels(spans, (label) => (VEHICLES.has(label) ? rule.vehicle : rule.supported))
    .filter(
      ({ label, score, frames, start, end }) =>
        score >= rule.confident ||
        frames >= Math.min(2, spans.length) ||
        (VEHICLES.has(label) && end - start >= MIN_VEHICLE_SECONDS),
    )
    .map(({ label, start, end, score, count }) => ({ label, start, end, score, count }))
    .sort((a, b) => byTime(a, b) || (a.label < b.label ? -1 : 1));
}

function trackLabels(spans: readonly FrameSpan[], thresholdOf: (label: string) => number): Track[] {
  const closed: Track[] = [];
  let open = new Map<string, Track>();
  let reached = 0;
  for (const { time, until, objects } of spans) {
    const before: ReadonlyMap<string, Track> = time - reached <= MAX_GAP_SECONDS ? open : new Map<string, Track>();
    const now = new Map<string, Track>();
    for (const [label, { score, count }] of groupByLabel(objects.filter((object) => object.score >= thresholdOf(object.label)))) {
      const earlier = before.get(label);
      now.set(label, {
        label,
        start: earlier?.start ?? time,
        end: until,
        score: Math.max(score, earlier?.score ?? 0),
        count: Math.max(count, earlier?.count ?? 0),
        frames: (earlier?.frames ?? 0) + 1,
        last: time,
      });
    }
    for (const [label, track] of open) {
      if (before !== open) closed.push(track);
      else if (!now.has(label)) closed.push({ ...track, end: toMilliseconds((track.last + time) / 2) });
    }
    open = now;
    reached = until;
  }
  return [...closed, ...open.values()];
}

function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000;
}

function groupByLabel(objects: FrameSpan['objects']): Map<string, { score: number; count: number }> {
  const found = new Map<string, { score: number; count: number }>();
  for (const { label, score } of objects) {
    const same = found.get(label);
    found.set(label, { score: Math.max(score, same?.score ?? 0), count: (same?.count ?? 0) + 1 });
  }
  return found;
}

function byTime(a: { start: number; end: number }, b: { start: number; end: number }): number {
  return a.start - b.start || a.end - b.end;
}

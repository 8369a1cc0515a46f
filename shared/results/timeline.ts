import type { Detections, Media, Transcript } from '../../schemas/generated/types.ts';

/** What is said, from `start` to `end`, seconds of the source video. */
export interface TimelineUtterance {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly words: Transcript['utterances'][number]['words'];
}

/** An object that consecutive frames show, seconds of the source video. */
export interface TimelineObject {
  readonly label: string;
  readonly start: number;
  /** When the first frame without it was taken, or the clip ended. */
  readonly end: number;
  /** The best of the frames' scores. */
  readonly score: number;
  /** How many of them at most in one frame. */
  readonly count: number;
}

/** The merged result of a request. */
export interface Timeline {
  /** Seconds; null while nobody has looked into the video. */
  readonly duration: number | null;
  /** Engines that transcribed, by name. */
  readonly engines: readonly string[];
  readonly utterances: readonly TimelineUtterance[];
  readonly objects: readonly TimelineObject[];
}

/** Merges the artifacts of a request's clips, in whatever order they come. */
export function mergeTimeline({
  media,
  transcripts,
  detections,
}: {
  media?: Media | undefined;
  transcripts: readonly Transcript[];
  detections: readonly Detections[];
}): Timeline {
  return {
    duration: media?.duration ?? null,
    engines: [...new Set(transcripts.map(({ engine }) => engine))].sort(),
    utterances: transcripts.flatMap(({ utterances }) => utterances).sort(byTime),
    objects: mergeSeen(detections),
  };
}

/** Seconds that two clips' frames may be apart and still follow each other: a clip ends on a frame, not on a sample. */
const TOLERANCE = 0.25;

/** A frame, and until when what it shows is taken to be there. */
interface Shot {
  readonly time: number;
  readonly until: number;
  readonly objects: Detections['frames'][number]['objects'];
}

/** Frames are samples: an object is there from the first that shows it until the next that does not. */
export function mergeSeen(detections: readonly Detections[]): TimelineObject[] {
  const shots: Shot[] = [...detections]
    .sort(byTime)
    .flatMap(({ frames, end }) =>
      frames.map(({ time, objects }, n) => ({ time, objects, until: Math.max(time, frames[n + 1]?.time ?? end) })),
    );
  const closed: TimelineObject[] = [];
  let open = new Map<string, TimelineObject>();
  let reached = 0;
  for (const { time, until, objects } of shots) {
    const before: ReadonlyMap<string, TimelineObject> = time - reached <= TOLERANCE ? open : new Map<string, TimelineObject>();
    const now = new Map<string, TimelineObject>();
    for (const [label, { score, count }] of byLabel(objects)) {
      const earlier = before.get(label);
      now.set(label, {
        label,
        start: earlier?.start ?? time,
        end: until,
        score: Math.max(score, earlier?.score ?? 0),
        count: Math.max(count, earlier?.count ?? 0),
      });
    }
    for (const [label, seen] of open) if (before !== open || !now.has(label)) closed.push(seen);
    open = now;
    reached = until;
  }
  return [...closed, ...open.values()].sort((a, b) => byTime(a, b) || (a.label < b.label ? -1 : 1));
}

function byLabel(objects: Shot['objects']): Map<string, { score: number; count: number }> {
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

/**
 * Kinds of objects under `requests/{request_id}/`. `shared/pipeline/keys.ts` builds and parses keys from these patterns;
 * notification rules and access policies are derived from them. No other module spells a key.
 *
 * In a pattern, `{batch}`, `{clip}` and `{frame}` are four digits counted from 1, `{file}` is any file name, and `{ext}` is one of `extensions`.
 */
export interface Kind {
  readonly name: string;
  /** Key below `requests/{request_id}/`. */
  readonly key: string;
  /** Media type, or media types by extension. Absent for uploads. */
  readonly contentType?: string | Readonly<Record<string, string>>;
  /** Values of `{ext}`; the first is the default. */
  readonly extensions?: readonly string[];
  /** Name of the JSON Schema of the content (`schemas/artifacts/{schema}.schema.json`). */
  readonly schema?: string;
  /** Whether the object is announced on `fave.landed.{kind}.>`. Other objects are listed in an announced manifest or in a receipt. */
  readonly announced: boolean;
}

const json = 'application/json';

export const kinds = {
  input: { name: 'input', key: 'input/{file}', announced: true },

  media: { name: 'media', key: 'stage-ffmpeg-0/media.json', contentType: json, schema: 'media', announced: false },
  audio: { name: 'audio', key: 'stage-ffmpeg-0/audio.wav', contentType: 'audio/wav', announced: true },

  segments: { name: 'segments', key: 'stage-librosa/segments.json', contentType: json, schema: 'segments', announced: false },

  /** Part of the segments, which is cut as one item. */
  batch: { name: 'batch', key: 'stage-librosa/batch_{batch}/batch.json', contentType: json, schema: 'batch', announced: true },

  clip: {
    name: 'clip',
    key: 'stage-ffmpeg-1/clip_{clip}/clip.{ext}',
    extensions: ['mp4', 'mkv'],
    contentType: { mp4: 'video/mp4', mkv: 'video/x-matroska' },
    announced: true,
  },

  speech: { name: 'speech', key: 'stage-ffmpeg-2/clip_{clip}/audio.wav', contentType: 'audio/wav', announced: true },

  transcript: {
    name: 'transcript',
    key: 'stage-deepspeech/clip_{clip}/transcript.json',
    contentType: json,
    schema: 'transcript',
    announced: true,
  },

  /** Language of all clips of the request. */
  language: {
    name: 'language',
    key: 'stage-deepspeech/language.json',
    contentType: json,
    schema: 'language',
    announced: false,
  },

  frame: { name: 'frame', key: 'stage-ffmpeg-3/clip_{clip}/frame_{frame}.jpg', contentType: 'image/jpeg', announced: false },
  frames: { name: 'frames', key: 'stage-ffmpeg-3/clip_{clip}/frames.json', contentType: json, schema: 'frames', announced: true },
  video: { name: 'video', key: 'stage-ffmpeg-3/clip_{clip}/video.mp4', contentType: 'video/mp4', announced: false },

  detections: {
    name: 'detections',
    key: 'stage-object-detector/clip_{clip}/detections.json',
    contentType: json,
    schema: 'detections',
    announced: true,
  },

  matchedClip: {
    name: 'matched-clip',
    key: 'stage-grep/clip_{clip}/clip.{ext}',
    extensions: ['mp4', 'mkv'],
    contentType: { mp4: 'video/mp4', mkv: 'video/x-matroska' },
    announced: false,
  },
  match: { name: 'match', key: 'stage-grep/clip_{clip}/match.json', contentType: json, schema: 'match', announced: true },

  /** Tests the notification path. No stage consumes it. */
  canary: { name: 'canary', key: 'metadata/canary', contentType: 'text/plain', announced: true },
} as const satisfies Record<string, Kind>;

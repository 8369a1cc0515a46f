// Made by `npm run generate` from the schemas. Do not edit.

export interface Detections {
  model: string;
  /**
   * Lowest score that is listed.
   */
  threshold: number;
  start: number;
  end: number;
  frames: {
    /**
     * The frame, relative to the request's frames of this clip.
     */
    file: string;
    time: number;
    width: number;
    height: number;
    objects: DetectedObject[];
  }[];
}

export interface DetectedObject {
  /**
   * COCO class.
   */
  label: string;
  score: number;
  /**
   * Bounding box, from the top left corner.
   */
  box: {
    x: number;
    y: number;
    width: number;
    height: number;
  };
}

export interface Event {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  subject?: string;
  time: string;
  datacontenttype: 'application/json';
  traceparent?: string;
  data: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface Frames {
  start: number;
  end: number;
  /**
   * Seconds between frames.
   */
  interval: number;
  frames: {
    /**
     * Name beside this manifest.
     */
    file: string;
    /**
     * Of the picture, so that equal manifests mean equal pictures.
     */
    sha256: string;
    time: number;
    /**
     * Pixels as displayed.
     */
    width: number;
    /**
     * Pixels as displayed.
     */
    height: number;
  }[];
}

export type RequestId = string;

export interface Landed {
  kind: string;
  lane: 'first' | 'rest';
  request_id: RequestId;
  key: string;
  etag: string;
  /**
   * Of the object, where the bucket keeps versions.
   */
  version_id?: string;
  /**
   * Bytes.
   */
  size: number;
  sequencer?: string;
  run: number;
  options: Options;
  attributes: ObjectAttributes;
  sha256?: string;
  /**
   * Of the request's input, once a stage has read it.
   */
  input_sha256?: string;
  traceparent?: string;
}

export interface Options {
  [k: string]: string | number | boolean;
}

export interface ObjectAttributes {
  start?: number;
  end?: number;
  preroll?: number;
}

export interface Letter {
  stage: string;
  item: string;
  /**
   * Stable, for programs.
   */
  code: string;
  /**
   * A sentence, for people.
   */
  message: string;
  /**
   * Key of the object that could not be processed, below requests/{request_id}/.
   */
  file: string;
  /**
   * The tool's last lines.
   */
  stderr?: string;
  deliveries: number;
  landed: Landed;
  /**
   * ISO 8601.
   */
  failed_at: string;
}

export interface Lifecycle {
  /**
   * _ where the key names none.
   */
  request_id: string;
  run: number;
  status: 'accepted' | 'running' | 'rejected' | 'completed' | 'failed' | 'cancelled';
  /**
   * File name below input/, or the whole key that was rejected.
   */
  input?: string;
  options?: Options;
  /**
   * The objects that this run begins with.
   */
  announced?: Output[];
  accepted_at?: string;
  finished_at?: string;
  /**
   * From accepted to the last item settled.
   */
  duration_ms?: number;
  cost_unit?: number;
  cold_starts?: number;
  stages?: {
    [k: string]: StageState;
  };
  /**
   * Announced objects, counted by kind.
   */
  outputs?: {
    [k: string]: number;
  };
  /**
   * The first hundred.
   */
  errors?: RequestError[];
}

export interface Output {
  kind: string;
  /**
   * The item that it is for the stages that consume it.
   */
  item: string;
  /**
   * Below requests/{request_id}/.
   */
  key: string;
  etag: string;
}

export interface StageState {
  expected: number;
  done: number;
  reused: number;
  skipped: number;
  failed: number;
  complete: boolean;
  duration_ms: number;
  queue_ms: number;
  cost_unit: number;
  cold_starts: number;
}

export interface RequestError {
  stage?: string;
  item?: string;
  code: string;
  message: string;
  file: string;
  stderr?: string;
}

export interface Match {
  query: string;
  /**
   * Name of the clip beside this file.
   */
  clip: string;
  start: number;
  end: number;
  words: MatchedWord[];
}

export interface MatchedWord {
  /**
   * As spoken.
   */
  text: string;
  start: number;
  end: number;
  /**
   * False where only the stem is the same.
   */
  exact: boolean;
}

export interface Media {
  /**
   * Container, as ffprobe names its demuxer.
   */
  format: string;
  /**
   * Seconds, the longest stream's.
   */
  duration: number;
  /**
   * Bytes.
   */
  size: number;
  /**
   * The first real video stream (a cover picture is none), or null.
   */
  video: null | {
    codec: string;
    /**
     * Pixels as displayed, after rotation.
     */
    width: number;
    /**
     * Pixels as displayed, after rotation.
     */
    height: number;
    /**
     * Degrees clockwise that a player turns the stored picture.
     */
    rotation: 0 | 90 | 180 | 270;
    /**
     * Average frames a second.
     */
    fps: number;
    pixel_format: string;
  };
  /**
   * The first audio stream, or null.
   */
  audio: null | {
    codec: string;
    /**
     * Hz.
     */
    sample_rate: number;
    channels: number;
  };
}

export interface Notification {
  /**
   * @minItems 1
   */
  Records: [
    {
      eventName: string;
      s3: {
        bucket: {
          name: string;
          [k: string]: unknown;
        };
        object: {
          /**
           * Form-encoded.
           */
          key: string;
          size?: number;
          eTag?: string;
          versionId?: string;
          sequencer?: string;
          userMetadata?: {
            [k: string]: string;
          };
          [k: string]: unknown;
        };
        [k: string]: unknown;
      };
      [k: string]: unknown;
    },
    ...{
      eventName: string;
      s3: {
        bucket: {
          name: string;
          [k: string]: unknown;
        };
        object: {
          /**
           * Form-encoded.
           */
          key: string;
          size?: number;
          eTag?: string;
          versionId?: string;
          sequencer?: string;
          userMetadata?: {
            [k: string]: string;
          };
          [k: string]: unknown;
        };
        [k: string]: unknown;
      };
      [k: string]: unknown;
    }[]
  ];
  [k: string]: unknown;
}

export interface Progress {
  request_id: string;
  run: number;
  stage: string;
  /**
   * Unique in the stage and request.
   */
  item: string;
  /**
   * reused: copied from equal work done before; skipped: already settled.
   */
  outcome: 'done' | 'reused' | 'skipped' | 'failed';
  /**
   * Every object that the item produced and announced; of a failed item, those stored before it failed.
   */
  outputs: Output[];
  error?: ItemError;
  deliveries: number;
  /**
   * Of the work, this delivery.
   */
  duration_ms: number;
  /**
   * From announced to begun, less earlier deliveries' work.
   */
  queue_ms: number;
  /**
   * Whether this was the process's first item.
   */
  cold_start: boolean;
  /**
   * duration_ms / 1000 × memory_limit_mb / 1024.
   */
  cost_unit: number;
}

export interface ItemError {
  /**
   * Stable, for programs.
   */
  code: string;
  /**
   * A sentence, for people.
   */
  message: string;
  /**
   * Key of the object that could not be processed, below requests/{request_id}/.
   */
  file: string;
  /**
   * The tool's last lines.
   */
  stderr?: string;
}

export interface Receipt {
  stage: string;
  version: number;
  item: string;
  run?: number;
  /**
   * Sequence in FAVE_LANDED of the message that brought the item.
   */
  message?: number;
  source: {
    kind: string;
    /**
     * Below requests/{request_id}/.
     */
    key: string;
    etag: string;
    sha256?: string;
  };
  /**
   * Options and settings that the stage ran with.
   */
  config: {
    [k: string]: unknown;
  };
  config_hash: string;
  outcome: 'done' | 'failed';
  /**
   * The request whose equal work was copied.
   */
  reused?: string;
  outputs: {
    kind: string;
    item: string;
    /**
     * Below requests/{request_id}/.
     */
    key: string;
    etag: string;
    sha256: string;
    size: number;
    announced: boolean;
    attributes: ObjectAttributes;
  }[];
  error?: ItemError;
  /**
   * Every program that was run.
   */
  tools: {
    command: string;
    args: string[];
    duration_ms: number;
  }[];
  /**
   * Models and engines by name, with their versions.
   */
  models: {
    [k: string]: string;
  };
  host: string;
  /**
   * ISO 8601.
   */
  started: string;
  duration_ms: number;
}

export interface Request {
  input: {
    /**
     * Name below input/.
     */
    file: string;
    etag: string;
    /**
     * The admitted version, which stays readable when the key is written again.
     */
    version_id?: string;
    /**
     * Bytes.
     */
    size: number;
  };
  options: Options;
  traceparent?: string;
}

export interface Segments {
  /**
   * The rule that was used.
   */
  segmentation: 'silence' | 'fave';
  /**
   * Threshold in dB below the peak that gave the intervals; null where none was needed.
   */
  top_db: number | null;
  /**
   * Seconds of audio.
   */
  duration: number;
  /**
   * @minItems 1
   * @maxItems 9999
   */
  clips: [
    {
      /**
       * Seconds.
       */
      start: number;
      /**
       * Seconds.
       */
      end: number;
      features: AudioFeatures;
    },
    ...{
      /**
       * Seconds.
       */
      start: number;
      /**
       * Seconds.
       */
      end: number;
      features: AudioFeatures;
    }[]
  ];
}

export interface AudioFeatures {
  /**
   * Of samples scaled to ±1.
   */
  rms: number;
  /**
   * Crossings a sample.
   */
  zero_crossing_rate: number;
  /**
   * Hz.
   */
  spectral_centroid: number;
  /**
   * Hz.
   */
  spectral_rolloff: number;
  /**
   * @minItems 13
   * @maxItems 13
   */
  mfcc_mean: [number, number, number, number, number, number, number, number, number, number, number, number, number];
  /**
   * @minItems 13
   * @maxItems 13
   */
  mfcc_std: [number, number, number, number, number, number, number, number, number, number, number, number, number];
}

export interface Transcript {
  /**
   * The engine that ran: whisper, pocketsphinx or none.
   */
  engine: string;
  model: string | null;
  /**
   * BCP 47.
   */
  language: string | null;
  start: number;
  end: number;
  /**
   * Empty where nothing is said.
   */
  text: string;
  utterances: {
    start: number;
    end: number;
    text: string;
    words: Word[];
  }[];
}

export interface Word {
  start: number;
  end: number;
  text: string;
  /**
   * Where the engine gives one.
   */
  confidence?: number;
}

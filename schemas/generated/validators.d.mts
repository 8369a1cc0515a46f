// Generated from the schemas by `npm run generate`. Do not edit.

import type { ValidateFunction } from 'ajv';
import type * as types from './types.ts';

export const batch: ValidateFunction<types.Batch>;
export const detections: ValidateFunction<types.Detections>;
export const frames: ValidateFunction<types.Frames>;
export const language: ValidateFunction<types.Language>;
export const match: ValidateFunction<types.Match>;
export const media: ValidateFunction<types.Media>;
export const receipt: ValidateFunction<types.Receipt>;
export const request: ValidateFunction<types.Request>;
export const segments: ValidateFunction<types.Segments>;
export const transcript: ValidateFunction<types.Transcript>;
export const cloudEvent: ValidateFunction<types.CloudEvent>;
export const deadLetter: ValidateFunction<types.DeadLetter>;
export const itemEvent: ValidateFunction<types.ItemEvent>;
export const landedMessage: ValidateFunction<types.LandedMessage>;
export const notification: ValidateFunction<types.Notification>;
export const requestState: ValidateFunction<types.RequestState>;
export const cell: ValidateFunction<types.Cell>;
export const itemRecord: ValidateFunction<types.ItemRecord>;
export const loadRecord: ValidateFunction<types.LoadRecord>;
export const scaleEvent: ValidateFunction<types.ScaleEvent>;
export const snapshot: ValidateFunction<types.Snapshot>;

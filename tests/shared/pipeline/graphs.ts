import type { Kind } from '../../../schemas/kinds.ts';
import { defineStage, type AnyStage } from '../../../shared/pipeline/stage.ts';

/** Creates an announced kind. */
export function kind(key: string, overrides: Partial<Kind> = {}): Kind {
  return { name: key.split('/').at(-1)!.replace(/\W.*/, ''), key, announced: true, ...overrides };
}

/** Creates a stage that does nothing. */
export function idle(name: string, consumes: Kind, produces: readonly Kind[] = [], overrides: Partial<AnyStage> = {}): AnyStage {
  return { ...defineStage({ name, version: 1, consumes, produces, run: () => Promise.resolve() }), ...overrides };
}

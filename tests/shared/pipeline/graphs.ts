import type { Kind } from '../../../schemas/kinds.ts';
import { defineStage, type AnyStage } from '../../../shared/pipeline/stage.ts';

/** An announced kind of a test's own. */
export function kind(key: string, more: Partial<Kind> = {}): Kind {
  return { name: key.split('/').at(-1)!.replace(/\W.*/, ''), key, announced: true, ...more };
}

/** A stage that does nothing. */
export function idle(name: string, consumes: Kind, produces: readonly Kind[] = [], more: Partial<AnyStage> = {}): AnyStage {
  return { ...defineStage({ name, version: 1, consumes, produces, run: () => Promise.resolve() }), ...more };
}

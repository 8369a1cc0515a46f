import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

/** Knows which span's work is going on, across whatever it awaits; without it OpenTelemetry's API knows of none. */
export function asyncContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const contexts: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => work.apply(self, args)),
    bind: (_, target) => target, // nothing here binds: what an event emitter calls back belongs to no span
    enable: () => contexts,
    disable: () => contexts,
  };
  return contexts;
}

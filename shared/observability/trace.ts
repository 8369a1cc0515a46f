import { randomBytes } from 'node:crypto';
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Span,
} from '@opentelemetry/api';

/** A W3C trace context that begins a trace: https://www.w3.org/TR/trace-context/#traceparent-header */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Whether a text from outside is a usable W3C trace context. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

/** The trace that a trace context is of, 32 hexadecimal digits. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return TRACEPARENT.exec(traceparent ?? '')?.[1];
}

/** A piece of work in a trace. Where no tracing was set up (`runtime/telemetry.ts`) nothing is recorded, and the context is the parent's. */
export interface SpanHandle {
  /** The context that what comes of the work carries on; undefined where there is neither parent nor tracing. */
  readonly traceparent: string | undefined;
  /** Without it a span is never sent. @param error What the work failed with, as a sentence. */
  end(attributes?: Attributes, error?: string): void;
}

/**
 * Begins a span.
 * @param parent Context of the span that caused the work.
 * @param kind `consumer`: of a message; `client`: a request to another program; `internal`: within another span's work.
 * @param begun When the work began, milliseconds since 1970, if not now.
 */
export function startSpan(
  name: string,
  parent: string | undefined,
  { kind = 'internal', attributes = {}, begun }: { kind?: keyof typeof kinds; attributes?: Attributes; begun?: number } = {},
): SpanHandle {
  const options = { kind: kinds[kind], attributes };
  const span = trace
    .getTracer('fave')
    .startSpan(name, begun === undefined ? options : { ...options, startTime: begun }, contextOf(parent));
  return {
    traceparent: traceparentOf(span) ?? parent,
    end(more = {}, error) {
      span.setAttributes(more);
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end();
    },
  };
}

const kinds = { consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Does a span's work: what is asked of the store meanwhile is traced as part of it. */
export function runInSpan<T>({ traceparent }: SpanHandle, work: () => T): T {
  return context.with(contextOf(traceparent), work);
}

/** Context of the span whose work is going on; undefined where there is none, or nothing is traced. */
export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan();
  return span && traceparentOf(span);
}

function contextOf(parent: string | undefined): typeof ROOT_CONTEXT {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(parent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags ?? '', 16), isRemote: true });
}

function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const text = `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
  return isTraceparent(text) ? text : undefined;
}

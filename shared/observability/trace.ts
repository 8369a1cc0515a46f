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

/** Returns a W3C trace context that starts a new trace: https://www.w3.org/TR/trace-context/#traceparent-header */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Returns whether untrusted text is a valid W3C trace context. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

/** Returns the trace id of a trace context, 32 hexadecimal digits. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return TRACEPARENT.exec(traceparent ?? '')?.[1];
}

/** A running span. Without tracing (`telemetry.ts`) nothing is recorded, and the trace context equals that of the parent. */
export interface SpanHandle {
  /** Trace context for the results of the span; undefined without parent and tracing. */
  readonly traceparent: string | undefined;
  /** Ends the span; only ended spans are sent. @param error Message of the failure. */
  end(attributes?: Attributes, error?: string): void;
}

/**
 * Starts a span.
 * @param parent Context of the span that caused the work.
 * @param kind `consumer`: processing of a message; `client`: request to another program; `internal`: part of another span.
 * @param begun Start of the span if it is not now, in milliseconds since 1970.
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
    end(added = {}, error) {
      span.setAttributes(added);
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end();
    },
  };
}

const kinds = { consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Runs a function in a span. Store requests of the function become children of the span. */
export function runInSpan<T>({ traceparent }: SpanHandle, run: () => T): T {
  return context.with(contextOf(traceparent), run);
}

/** Returns the trace context of the active span; undefined without one or without tracing. */
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

import { graph } from '../../../services/pipeline.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { exitCodes } from '../../context/errors.ts';

/** Prints the pipeline. */
export function printGraph({ stdout }: CliContext, { json = false }: { json?: boolean }): Promise<number> {
  (json ? [toJson(describe(graph))] : mermaid(graph)).forEach(stdout.line);
  return Promise.resolve(exitCodes.ok);
}

/** Returns the graph as plain data. */
export function describe({ stages, kinds, options }: Graph) {
  return {
    stages: stages.map(({ name, version, consumes, produces, options: own = {} }) => ({
      name,
      version,
      consumes: consumes.name,
      produces: produces.map((kind) => kind.name),
      options: Object.keys(own as object),
    })),
    kinds: kinds.map(({ name, key, announced, schema = null }) => ({ name, key, announced, schema })),
    options,
  };
}

/** Formats the graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html): stages are boxes, kinds label the arrows. */
export function mermaid({ stages, consumersOf }: Graph): string[] {
  const lines = ['flowchart TD'];
  const inputs = stages.map(({ consumes }) => consumes).filter((kind) => !stages.some(({ produces }) => produces.includes(kind)));
  for (const kind of new Set(inputs)) {
    lines.push(`  ${kind.name}([${kind.name}])`);
    for (const { name } of consumersOf(kind.name)) lines.push(`  ${kind.name} --> ${name}`);
  }
  for (const { name, produces } of stages) {
    for (const kind of produces.filter(({ announced }) => announced)) {
      const consumers = consumersOf(kind.name);
      for (const consumer of consumers) lines.push(`  ${name} -->|${kind.name}| ${consumer.name}`);
      if (consumers.length === 0) lines.push(`  ${name} --> ${kind.name}([${kind.name}])`);
    }
  }
  return lines;
}

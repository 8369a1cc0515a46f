/** Prints the table of a request's options from the graph, for docs/options.md: `tsx services/options-doc.ts`. */
import { graph } from './pipeline.ts';

const used = (name: string): string =>
  graph.stages
    .filter(({ options }) => options && name in options)
    .map((stage) => stage.name)
    .join(', ') || 'every request';

console.log('| option | of | default | meaning |\n| --- | --- | --- | --- |');
for (const [name, schema] of Object.entries(graph.options)) {
  const values = 'enum' in schema && schema.enum ? ` (${schema.enum.join(', ')})` : '';
  console.log(`| \`${name}\` | ${used(name)} | \`${JSON.stringify(schema.default)}\` | ${schema.description}${values} |`);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../../infra/process/paths.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';

export interface Service {
  readonly image: string;
  readonly build?: { readonly target: string; readonly args?: Record<string, string> };
  readonly pull_policy?: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: string[];
  readonly security_opt: string[];
  readonly mem_limit: string;
  readonly restart?: string;
  readonly command?: string[];
  readonly container_name?: string;
  readonly ports?: string[];
  readonly networks?: string[];
  readonly network_mode?: string;
  readonly volumes?: string[];
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly healthcheck?: { readonly test: string[] };
  readonly environment?: Record<string, string>;
}

/** Text of compose.yaml. */
export const text = await readFile(join(root, 'compose.yaml'), 'utf8');

/** compose.yaml with merged anchors. Variables are not replaced. */
export const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  networks: Record<string, { readonly internal?: boolean; readonly driver_opts?: Record<string, string> } | null>;
};

export const services = Object.entries(compose.services);

/** Services of the graph. */
export const ours = new Set(serviceNames(graph));

/** Services that run once. */
export const jobs = ['secrets', 'set-up'];

/** Mount of a directory of secrets; the group is the name of the service. */
export const FOLDER = /^\$\{FAVE_SECRETS_DIR:-\.\/secrets\}\/([\w-]+):\/run\/secrets:ro$/;

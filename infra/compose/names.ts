import { defaultPorts } from '../deployment/ports.ts';

/** What compose.yaml and the files made for it agree on. */

/** Where a server's volume is. */
export const DATA = '/data';

/** Where MinIO keeps its objects, and the events that wait for NATS: on one disk, who has the one has the other. */
export const OBJECTS = `${DATA}/objects`;
export const QUEUE = `${DATA}/queue`;

/** Address of NATS within the network. */
export const BUS_ADDRESS = `nats:${defaultPorts.nats}`;

/** Files, from the project's root, of which parts are generated. */
export const GENERATED = ['compose.yaml', 'infra/compose/prometheus.yml'];

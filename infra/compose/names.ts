import { defaultPorts } from '../deployment/ports.ts';

/** Names that compose.yaml and the generated files share. */

/** Mount point of the volume of a server. */
export const DATA = '/data';

/** Directories of the objects and of queued notifications. They are on one disk, so they are lost or kept together. */
export const OBJECTS = `${DATA}/objects`;
export const QUEUE = `${DATA}/queue`;

/** Address of NATS within the network. */
export const BUS_ADDRESS = `nats:${defaultPorts.nats}`;

/** Files with generated parts, relative to the root of the project. */
export const GENERATED = ['compose.yaml', 'infra/compose/prometheus.yml'];

import type { System } from './system.ts';

interface Answer<T> {
  readonly status: string;
  readonly data: T;
}

/** Sends HTTP requests to services from inside their containers, which publish no ports. */
export interface ContainerClient {
  /** Returns the response of a service to a path. @throws PermanentError `command-failed`. */
  text(service: string, port: number, path: string, query?: Readonly<Record<string, string>>): Promise<string>;
  /** Returns the `data` field of a response of Prometheus or Loki, which have the same format. */
  data<T>(service: string, port: number, path: string, query?: Readonly<Record<string, string>>): Promise<T>;
}

export function createAsker(system: System): ContainerClient {
  const text: ContainerClient['text'] = (service, port, path, query = {}) => {
    const url = `http://127.0.0.1:${port}${path}?${new URLSearchParams(query).toString()}`;
    return system.compose(['exec', '-T', service, 'wget', '-q', '-O', '-', url]);
  };
  const data = async <T>(...question: Parameters<ContainerClient['text']>): Promise<T> => {
    const answer = JSON.parse(await text(...question)) as Answer<T>;
    if (answer.status !== 'success') throw new Error(`${JSON.stringify(question)}: ${JSON.stringify(answer)}`);
    return answer.data;
  };
  return { text, data };
}

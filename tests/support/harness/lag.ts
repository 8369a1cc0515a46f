import type { Bus } from '../../../shared/bus/connection.ts';
import { lagOf } from '../../../shared/bus/consumers.ts';

/** Returns the lag of all consumers of a stream. @param names Counts only consumers whose name matches. */
export async function fetchStreamLag({ manager }: Pick<Bus, 'manager'>, stream: string, names = /./): Promise<number> {
  let lag = 0;
  for await (const info of manager.consumers.list(stream)) if (names.test(info.name)) lag += lagOf(info);
  return lag;
}

import type { LandedMessage } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import type { AnyStage, Item } from '../../pipeline/stage.ts';

/** Content of an item, as SHA-256 in hexadecimal. */
export interface InputIdentity {
  readonly sha256: string;
  /** Content of the request's input. Absent if a user uploaded the artifact without metadata. */
  readonly inputSha256: string | undefined;
}

/**
 * Returns the content hashes of an item. The landed message of an artifact contains them. An upload is downloaded and hashed,
 * because its metadata does not contain a hash.
 */
export async function identifyInput(
  { stage, landed }: { readonly stage: AnyStage; readonly landed: Readonly<LandedMessage> },
  item: Pick<Item, 'sha256'>,
): Promise<InputIdentity> {
  const sha256 = landed.sha256 ?? (await item.sha256());
  return { sha256, inputSha256: stage.consumes === kinds.input ? sha256 : landed.input_sha256 };
}

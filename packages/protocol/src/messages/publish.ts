import { LIMITS } from '../limits.ts'
import { anything, type Infer, literal, object, string } from '../schema.ts'
import { channel, id, tags } from './fields.ts'

/** Client: publish `data`. Answered by `result` with a {@link PublishResult}. `key` makes a repetition harmless. */
export const publish = object(
  { type: literal('publish'), channel, data: anything },
  { id, tags, key: string(LIMITS.keyLength, 1) },
)

export type Publish = Infer<typeof publish>

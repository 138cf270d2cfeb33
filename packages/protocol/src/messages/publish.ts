import { LIMITS } from '../limits.ts'
import { anything, boolean, type Infer, literal, object, string } from '../schema.ts'
import { channel, id, tags } from './fields.ts'
import { position } from './position.ts'

/**
 * Client: publish `data`. Answered by `result` with a {@link PublishResult}. `key` makes a repetition harmless; `patch` says that
 * `data` is a JSON merge patch (RFC 7396) of the channel's document; with `ifPosition` nothing is published unless that is the
 * channel's newest position.
 */
export const publish = object(
  { type: literal('publish'), channel, data: anything },
  { id, tags, key: string(LIMITS.keyLength, 1), patch: boolean, ifPosition: position },
)

export type Publish = Infer<typeof publish>

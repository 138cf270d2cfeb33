import { anything, boolean, type Infer, integer, literal, object } from '../schema.ts'
import { channel, tags } from './fields.ts'
import { member } from './member.ts'

const required = { offset: integer(1), data: anything, time: integer() }
const optional = { tags, sender: member, patch: boolean }

/**
 * A publication as histories and recoveries list it. `time` is when the broker took it, in milliseconds since the epoch. In a state
 * channel `data` is the whole document, or with `patch` a JSON merge patch (RFC 7396) of the one before.
 */
export const publicationFields = object(required, optional)

/** Server: something was published in a channel of the session. */
export const publication = object({ type: literal('publication'), channel, ...required }, optional)

export type Publication = Infer<typeof publicationFields>
export type PublicationMessage = Infer<typeof publication>

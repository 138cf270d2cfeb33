import { anything, type Infer, integer, literal, object } from '../schema.ts'
import { channel, tags } from './fields.ts'
import { member } from './member.ts'

const required = { offset: integer(1), data: anything, time: integer() }
const optional = { tags, sender: member }

/** A publication as histories and recoveries list it. `time` is when the broker took it, in milliseconds since the epoch. */
export const publicationFields = object(required, optional)

/** Server: something was published in a channel of the session. */
export const publication = object({ type: literal('publication'), channel, ...required }, optional)

export type Publication = Infer<typeof publicationFields>
export type PublicationMessage = Infer<typeof publication>

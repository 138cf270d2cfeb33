import { anything, array, boolean, type Infer, integer, literal, object } from '../schema.ts'
import { channel, id } from './fields.ts'
import { position } from './position.ts'
import { publicationFields } from './publication.ts'

/**
 * Server: a subscription is live from `position` on. When the client named a position, `recovered` says whether `publications`
 * holds everything after it; false means that something is missing and the client must load its state anew. In a state channel
 * `document` is that state at `position`, unless everything was recovered; absent while nothing has been published.
 * `conflated` is true where a client that reads too slowly passes over publications.
 */
export const subscribed = object(
  { type: literal('subscribed'), channel, position },
  {
    id,
    recovered: boolean,
    publications: array(publicationFields),
    document: anything,
    conflated: boolean,
    expiresAt: integer(),
  },
)

export type Subscribed = Infer<typeof subscribed>

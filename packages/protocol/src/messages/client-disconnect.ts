import { type Infer, literal, object } from '../schema.ts'

/** Client: leave for good. The session ends now and cannot be resumed; a connection that merely breaks leaves it to its TTL. */
export const clientDisconnect = object({ type: literal('disconnect') })

export type ClientDisconnect = Infer<typeof clientDisconnect>

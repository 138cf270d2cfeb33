import { type Infer, literal, object } from '../schema.ts'
import { channel, id, token } from './fields.ts'

/** Client: replace the connection's token, or with `channel` that subscription's token, before it expires. */
export const refresh = object({ type: literal('refresh'), token }, { id, channel })

export type Refresh = Infer<typeof refresh>

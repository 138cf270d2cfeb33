import { boolean, type Infer, integer, literal, object } from '../schema.ts'
import { channel, id } from './fields.ts'
import { position } from './position.ts'

/** Client: read the channel's past. Answered by `result` with a {@link HistoryResult}. `limit` defaults to 100. */
export const history = object({ type: literal('history'), channel }, { id, since: position, limit: integer(), reverse: boolean })

export type History = Infer<typeof history>

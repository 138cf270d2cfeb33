import { LIMITS } from '../limits.ts'
import { anything, type Infer, literal, object, string } from '../schema.ts'
import { id } from './fields.ts'

/** Client: call a handler of the embedding program. Answered by `result` with what the handler returns. */
export const rpc = object({ type: literal('rpc'), method: string(LIMITS.methodLength, 1) }, { id, data: anything })

export type Rpc = Infer<typeof rpc>

import { anything, type Infer, literal, object } from '../schema.ts'
import { id } from './fields.ts'

/** Server: the answer to `publish`, `history`, `presence`, `rpc` and `refresh`. What `data` holds is in `RESULTS`, by request. */
export const result = object({ type: literal('result') }, { id, data: anything })

export type Result = Infer<typeof result>

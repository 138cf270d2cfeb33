import { anything, type Infer, literal, object } from '../schema.ts'
import { id } from './fields.ts'

/** Both ways: the server sends the message back as it came. Allowed before `connect`. */
export const echo = object({ type: literal('echo') }, { id, data: anything })

export type Echo = Infer<typeof echo>

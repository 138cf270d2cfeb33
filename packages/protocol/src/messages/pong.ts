import { type Infer, literal, object } from '../schema.ts'
import { id } from './fields.ts'

/** Server: the answer to `ping`. */
export const pong = object({ type: literal('pong') }, { id })

export type Pong = Infer<typeof pong>

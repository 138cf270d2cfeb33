import { type Infer, literal, object, string } from '../schema.ts'

/** Server: the first message of a transport whose upstream is separate (SSE, streaming, polling): the secret that its POSTs carry. */
export const open = object({ type: literal('open'), connection: string(128, 1) })

export type Open = Infer<typeof open>

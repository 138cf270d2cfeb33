import { type Infer, integer, object, string } from '../schema.ts'

/** A place in a channel's stream: offsets grow by one within an epoch; the epoch changes when history was lost. */
export const position = object({ epoch: string(64, 1), offset: integer() })

export type Position = Infer<typeof position>

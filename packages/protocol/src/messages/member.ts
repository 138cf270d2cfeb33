import { anything, type Infer, object, string } from '../schema.ts'

/** A session as others see it: in presence, in join and leave, and as the sender of a publication. */
export const member = object({ session: string(64, 1) }, { user: string(255), info: anything })

export type Member = Infer<typeof member>

import { z } from 'zod'

const count = z.int().min(0)

/** As long as any id that a node gives itself. */
export const nodeId = z.string().min(1).max(64)

/** What a node tells of itself to the others. Fields that a newer version has besides are left out. */
export const nodeFacts = z.object({
  node: nodeId,
  version: z.string().max(64),
  state: z.enum(['serving', 'draining']),
  /** Milliseconds since 1970, by its own clock. */
  startedAt: count,
  host: z.string().max(255),
  /** Which of the workers of its machine it is, from 1; absent where there are none. */
  worker: z.int().min(1).exactOptional(),
  connections: count,
  sessions: count,
  subscriptions: count,
  channels: count,
})

export type NodeFacts = Readonly<z.output<typeof nodeFacts>>

import { z } from 'zod'
import { documented } from './documented.ts'

const count = (description: string) => z.int().min(0).register(documented, { description })

export const position = z
  .object({ epoch: z.string(), offset: z.int().min(0) })
  .register(documented, { id: 'Position', description: "A place in a channel's stream." })

export const member = z
  .object({ session: z.string(), user: z.string().exactOptional(), info: z.unknown().optional() })
  .register(documented, { id: 'Member', description: 'A session as others see it.' })

export const publication = z
  .object({
    offset: z.int().min(1),
    data: z.unknown(),
    time: count('Milliseconds since the epoch.'),
    tags: z.record(z.string(), z.string()).exactOptional(),
    sender: member.exactOptional(),
    patch: z
      .boolean()
      .exactOptional()
      .register(documented, { description: 'The data is a merge patch of the document before, not a whole one.' }),
  })
  .register(documented, { id: 'Publication' })

export const published = z
  .object({
    position,
    duplicate: z
      .boolean()
      .register(documented, { description: 'The key had been used; the position is that of the first publication.' }),
  })
  .register(documented, { id: 'Published' })

export const refusal = z
  .object({
    error: z.object({
      code: z.string().register(documented, { description: 'One of docs/errors.md. Branch on this.' }),
      message: z.string().register(documented, { description: 'For people.' }),
      retryable: z.boolean().register(documented, { description: 'The same request can succeed later, unchanged.' }),
    }),
    position: position.exactOptional().register(documented, { description: "With `conflict`: the channel's newest position." }),
    document: z
      .unknown()
      .optional()
      .register(documented, { description: 'With `conflict`, in a state channel: the document there.' }),
  })
  .register(documented, { id: 'Error' })

export const touched = z
  .object({ sessions: count('Sessions that were meant and are here; 0 is no error.') })
  .register(documented, { id: 'Touched' })

export const historyAnswer = z
  .object({
    position,
    publications: z.array(publication),
    recovered: z
      .boolean()
      .exactOptional()
      .register(documented, { description: 'With a position: false when something after it is no longer kept.' }),
  })
  .register(documented, { id: 'History' })

export const stateAnswer = z
  .object({ position, document: z.unknown(), time: count('When it was changed last, in milliseconds since the epoch.') })
  .register(documented, { id: 'State' })

export const presenceAnswer = z.object({ members: z.array(member) }).register(documented, { id: 'Presence' })

export const presenceStats = z
  .object({ sessions: count('Sessions in the channel.'), users: count('Distinct users among them.') })
  .register(documented, { id: 'PresenceStats' })

export const channelList = z
  .object({ channels: z.array(z.object({ channel: z.string(), subscribers: z.int().min(1) })) })
  .register(documented, { id: 'Channels' })

export const nodeInfo = z
  .object({
    node: z.string().register(documented, { description: 'Identifier of the server process.' }),
    version: z.string().register(documented, { description: 'Version of the server.' }),
    protocolVersion: z.int().min(1),
    development: z.boolean(),
    state: z.enum(['serving', 'draining']).register(documented, { description: '`draining` while it leaves.' }),
    startedAt: count('Milliseconds since the epoch.'),
    connections: count('Open now.'),
    sessions: count('Here now, those that wait for their client to come back among them.'),
    subscriptions: count('Here now.'),
    channels: count('With subscribers now.'),
  })
  .register(documented, { id: 'Info' })

export const drainAnswer = z
  .object({
    node: z.string().register(documented, { description: 'Identifier of the server process that leaves.' }),
    connections: count('Open now, to be told to move.'),
    delayMs: count('For how long it still takes connections, from the beginning.'),
    windowMs: count('Over how long clients are told to move, after that.'),
    timeoutMs: count('When it has gone at the latest, from the beginning.'),
  })
  .register(documented, { id: 'Draining' })

/** What is answered to who asks a node to leave. */
export type DrainAnswer = Readonly<z.output<typeof drainAnswer>>

/** What `GET /v1/info` says about this process. */
export type NodeInfo = Readonly<z.output<typeof nodeInfo>>

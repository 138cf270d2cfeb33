import { z } from 'zod'
import type { Touched } from '../application.ts'
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

const unreachable = z.array(z.string()).exactOptional().register(documented, {
  description:
    'Nodes that have not answered in time, or could not do it; nobody knows whether they have. Left out when all have answered.',
})

export const touched = z
  .object({ sessions: count('Sessions that were meant and are there, over all nodes; 0 is no error.'), unreachable })
  .register(documented, { id: 'Touched' })

/** The same in the words of the application. */
export const answered = ({ sessions, unreachable }: Touched): z.output<typeof touched> => ({
  sessions,
  ...(unreachable && { unreachable: [...unreachable] }),
})

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
  .object({ channels: z.array(z.object({ channel: z.string(), subscribers: count('Over all nodes.') })), unreachable })
  .register(documented, { id: 'Channels' })

const nodeFields = {
  node: z.string().register(documented, { description: 'Identifier of the server process.' }),
  version: z.string().register(documented, { description: 'Version of the server.' }),
  state: z.enum(['serving', 'draining']).register(documented, { description: '`draining` while it leaves.' }),
  startedAt: count('Milliseconds since the epoch.'),
  host: z.string().register(documented, { description: 'Name of its machine.' }),
  worker: z
    .int()
    .min(1)
    .exactOptional()
    .register(documented, { description: 'Which of the workers of a server it is; left out where there are none.' }),
  connections: count('Open now.'),
  sessions: count('There now, those that wait for their client to come back among them.'),
  subscriptions: count('There now.'),
  channels: count('With subscribers now.'),
}

export const knownNode = z
  .object(nodeFields)
  .register(documented, { id: 'Node', description: 'A server process, as it has told of itself within the last two seconds.' })

export const nodeInfo = z
  .object({
    ...nodeFields,
    protocolVersion: z.int().min(1),
    development: z.boolean(),
    nodes: z.array(knownNode).register(documented, { description: 'All nodes that are known, this one first.' }),
  })
  .register(documented, { id: 'Info' })

export const drainAnswer = z
  .object({
    node: z.string().register(documented, { description: 'Identifier of the server process that leaves.' }),
    workers: z.int().min(1).exactOptional().register(documented, {
      description: 'How many workers leave with it, itself among them; left out where it leaves alone.',
    }),
    connections: count('Open now on this one, to be told to move.'),
    delayMs: count('For how long it still takes connections, from the beginning.'),
    windowMs: count('Over how long clients are told to move, after that.'),
    timeoutMs: count('When it has gone at the latest, from the beginning.'),
  })
  .register(documented, { id: 'Draining' })

/** What is answered to who asks a node to leave. */
export type DrainAnswer = Readonly<z.output<typeof drainAnswer>>

/** What a node tells of itself. */
export type KnownNode = Readonly<z.output<typeof knownNode>>

/** What `GET /v1/info` says about this process, and about the others. */
export type NodeInfo = Readonly<z.output<typeof nodeInfo>>

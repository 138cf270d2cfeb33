import type { FusewireError } from '@fusewire/protocol'
import { decodeMsgpack, encodeMsgpack } from '@fusewire/protocol/msgpack'
import { z } from 'zod'
import { nodeFacts, nodeId } from './node-facts.ts'

/** First byte of every message between nodes. What a newer one may mean, an older node cannot know: it is left alone. */
export const BUS_VERSION = 1

/** Arrays and objects inside one another; what nodes say is flat. */
const MAX_DEPTH = 16

/** UTF-16 code units of what a refusal says to people. */
export const MAX_ERROR_LENGTH = 4096

const from = nodeId
const id = z.int().min(1)
const name = z.string().min(1).max(64)

const busMessage = z.discriminatedUnion('type', [
  /** A node tells of itself. */
  z.object({ type: z.literal('alive'), from, facts: nodeFacts }),
  /** The same of one that knows nobody: all answer with `alive`. */
  z.object({ type: z.literal('who'), from, facts: nodeFacts }),
  /** It leaves, and does not come back under this name. */
  z.object({ type: z.literal('left'), from }),
  z.object({ type: z.literal('call'), from, id, name, data: z.unknown() }),
  z.object({ type: z.literal('answer'), from, id, data: z.unknown() }),
  z.object({
    type: z.literal('failure'),
    from,
    id,
    code: z.string().max(64),
    message: z.string().max(MAX_ERROR_LENGTH),
    retryAfterMs: z.number().min(0).exactOptional(),
  }),
  /** Something that is not answered. */
  z.object({ type: z.literal('notice'), from, name, data: z.unknown() }),
  /** Part of a message that is too large for one: `index` from 0 to `count` - 1, in order. */
  z.object({
    type: z.literal('part'),
    from,
    message: id,
    index: z.int().min(0),
    count: z.int().min(2),
    bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
])

export type BusMessage = Readonly<z.output<typeof busMessage>>
export type PartMessage = Extract<BusMessage, { type: 'part' }>

/** Why a message was dropped: it is of a newer version, or it is none. */
export type BusRefusal = 'version' | 'malformed'

/** Throws a {@link FusewireError} for data that cannot be carried. */
export const encodeBusMessage = (message: BusMessage): Uint8Array => {
  const body = encodeMsgpack(message)
  const bytes = new Uint8Array(1 + body.byteLength)
  bytes[0] = BUS_VERSION
  bytes.set(body, 1)
  return bytes
}

/** Never throws, whatever the bytes are. */
export const decodeBusMessage = (bytes: Uint8Array): BusMessage | BusRefusal => {
  if (bytes[0] !== BUS_VERSION) return bytes[0] !== undefined && bytes[0] > BUS_VERSION ? 'version' : 'malformed'
  let values: unknown[]
  try {
    values = decodeMsgpack(bytes.subarray(1), MAX_DEPTH)
  } catch {
    return 'malformed'
  }
  if (values.length !== 1) return 'malformed'
  const { data } = busMessage.safeParse(values[0])
  if (!data || ('facts' in data && data.facts.node !== data.from)) return 'malformed'
  return data
}

import type { ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'

/** Where a server, or what stands in front of it, is to be reached. */
export interface Endpoints {
  readonly https: string
  readonly http: string
}

/** How a server has ended a connection; a close code only where the way in has one. */
export interface End {
  readonly closeCode?: number
}

/** One connection of a client that has no library between it and the wire. */
export interface WireClient {
  /** Every message of the server so far. */
  readonly received: readonly ServerMessage[]
  /** Undefined while the connection is open. */
  readonly end: End | undefined
  /** Sends messages as a client should. */
  send(...messages: object[]): void
  /** Sends one payload as it is: what a WebSocket message, a line or a request body holds. Numbered requests resolve with their status. */
  sendPayload(payload: string | Uint8Array): Promise<number | undefined>
  /** Breaks off without a word. Idempotent. */
  destroy(): void
}

/** A way in: transport, HTTP version and encoding. */
export interface Way {
  readonly name: string
  readonly encoding: 'json' | 'msgpack'
  /** `websocket`: payloads are messages of a WebSocket. `lines`: payloads are lines. `requests`: they are bodies of requests, in lines. */
  readonly framing: 'websocket' | 'lines' | 'requests'
  open(endpoints: Endpoints): Promise<WireClient>
}

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

/** The messages of one type. */
export const all = <T extends ServerMessage['type']>({ received }: WireClient, type: T): Of<T>[] =>
  received.filter((message): message is Of<T> => message.type === type)

/** Waits for a message of this type with these fields. */
export const until = async <T extends ServerMessage['type']>(
  client: WireClient,
  type: T,
  fields: Partial<Of<T>> = {},
  timeoutMs?: number,
): Promise<Of<T>> => {
  const wanted = Object.entries(fields)
  const find = (): Of<T> | undefined =>
    all(client, type).find((message) => wanted.every(([name, value]) => (message as Record<string, unknown>)[name] === value))
  try {
    await eventually(() => find() !== undefined, { ...(timeoutMs !== undefined && { timeoutMs }), intervalMs: 1 })
  } catch {
    const got = client.received.map((message) => JSON.stringify(message)).join('\n')
    throw new Error(`no ${type} with ${JSON.stringify(fields)}${client.end ? ' before the end' : ''} in\n${got}`)
  }
  return find() as Of<T>
}

/** Connects and subscribes. `timeoutMs` is for the answer, which may be long where much was missed. */
export const join = async (
  client: WireClient,
  channel: string,
  more: { token?: string; since?: object; timeoutMs?: number } = {},
): Promise<Of<'subscribed'>> => {
  const { token, since, timeoutMs } = more
  client.send({ type: 'connect', ...(token !== undefined && { token }), subscriptions: [{ channel, ...(since && { since }) }] })
  await until(client, 'connected')
  return until(client, 'subscribed', { channel }, timeoutMs)
}

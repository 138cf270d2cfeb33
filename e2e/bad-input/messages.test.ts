import type { ErrorCode } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { encode } from '@msgpack/msgpack'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { all, until, type Way, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const MAX_MESSAGE_BYTES = 65_536
const MAX_DEPTH = 32
const MAX_BAD_MESSAGES = 10

const it = harmTest(DEVELOPMENT)

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

interface BadMessage {
  readonly name: string
  readonly message: unknown
  readonly code: ErrorCode
  /** Of the error, when the request's could not be read. */
  readonly withoutId?: true
  readonly text?: RegExp
}

/** What can be encoded, but not accepted; each has the id 7 where it can have one. */
const BAD_MESSAGES: readonly BadMessage[] = [
  { name: 'a list', message: [{ type: 'ping', id: 7 }], code: 'malformed_message', withoutId: true },
  { name: 'text', message: 'ping', code: 'malformed_message', withoutId: true },
  { name: 'null', message: null, code: 'malformed_message', withoutId: true },
  { name: 'an unknown type', message: { type: 'shout', id: 7 }, code: 'unknown_type', text: /"shout"/u },
  { name: 'a type named like a property of objects', message: { type: 'constructor', id: 7 }, code: 'unknown_type' },
  { name: 'a type of the server', message: { type: 'connected', id: 7 }, code: 'unknown_type' },
  { name: 'no type', message: { id: 7, channel: 'a' }, code: 'invalid_field', text: /type/u },
  { name: 'a number as type', message: { type: 5, id: 7 }, code: 'invalid_field', text: /type/u },
  { name: 'no data', message: { type: 'publish', id: 7, channel: 'a' }, code: 'invalid_field', text: /data is missing/u },
  { name: 'a number as channel', message: { type: 'subscribe', id: 7, channel: 5 }, code: 'invalid_field', text: /channel/u },
  { name: 'an empty channel', message: { type: 'subscribe', id: 7, channel: '' }, code: 'invalid_field', text: /channel/u },
  {
    name: 'a channel of 256 characters',
    message: { type: 'subscribe', id: 7, channel: 'x'.repeat(256) },
    code: 'invalid_field',
    text: /channel/u,
  },
  { name: 'a channel with a space', message: { type: 'subscribe', id: 7, channel: 'a b' }, code: 'invalid_channel' },
  {
    name: 'a negative limit',
    message: { type: 'history', id: 7, channel: 'a', limit: -1 },
    code: 'invalid_field',
    text: /limit/u,
  },
  {
    name: 'a position without epoch',
    message: { type: 'subscribe', id: 7, channel: 'a', since: { offset: 1 } },
    code: 'invalid_field',
    text: /since\.epoch/u,
  },
  { name: 'a number as tag', message: { type: 'publish', id: 7, channel: 'a', data: 1, tags: { a: 1 } }, code: 'invalid_field' },
  { name: 'null for absence', message: { type: 'rpc', id: 7, method: null }, code: 'invalid_field' },
  { name: 'text as id', message: { type: 'ping', id: '7' }, code: 'invalid_field', withoutId: true },
]

interface BadPayload {
  readonly name: string
  readonly payload: Uint8Array
  readonly code: ErrorCode
}

const JSON_PAYLOADS: readonly BadPayload[] = [
  { name: 'JSON that is cut', payload: Buffer.from('{"type":"ping","id":7'), code: 'malformed_message' },
  { name: 'JSON as JavaScript writes it', payload: Buffer.from(`{type:'ping'}`), code: 'malformed_message' },
  { name: 'two values in one line', payload: Buffer.from('{"type":"ping"}{"type":"ping"}'), code: 'malformed_message' },
  { name: 'a byte order mark [P5]', payload: Buffer.from('\ufeff{"type":"ping"}'), code: 'malformed_message' },
  { name: 'nothing but zero bytes', payload: Buffer.alloc(100), code: 'malformed_message' },
  { name: 'brackets as far as the line goes', payload: Buffer.from('['.repeat(60_000)), code: 'malformed_message' },
]

const MSGPACK_PAYLOADS: readonly BadPayload[] = [
  { name: 'MessagePack that is cut', payload: encode({ type: 'ping', id: 7 }).subarray(0, -1), code: 'malformed_message' },
  { name: 'the reserved byte 0xc1', payload: Buffer.from([0xc1]), code: 'malformed_message' },
  { name: 'a map that claims to be endless', payload: Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]), code: 'malformed_message' },
  { name: 'a number as key', payload: Buffer.from([0x81, 0x01, 0x01]), code: 'malformed_message' },
  { name: 'an unknown extension', payload: Buffer.from([0xd4, 0x05, 0x00]), code: 'malformed_message' },
  { name: 'an integer beyond 2^53 [P9]', payload: Buffer.from([0xcf, ...Array(8).fill(0xff)]), code: 'malformed_message' },
  { name: 'text that is no UTF-8', payload: Buffer.from([0xa2, 0xc3, 0x28]), code: 'malformed_message' },
  { name: 'lists in lists as far as the message goes', payload: Buffer.alloc(60_000, 0x91), code: 'message_too_deep' },
]

/** Opens a connection that has something to lose: it is connected. */
const connected = async (way: Way, server: FusewireProcess): Promise<WireClient> => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  client.send({ type: 'connect', id: 1 })
  await until(client, 'connected')
  return client
}

/** The connection is still good for everything. */
const assertWorks = async (client: WireClient): Promise<void> => {
  client.send({ type: 'history', id: 99, channel: 'a' })
  await until(client, 'result', { id: 99 })
  expect(client.end).toBeUndefined()
}

describe.each(WAYS)('$name', (way) => {
  const { encoding, framing } = way
  const write = (message: unknown): Uint8Array =>
    encoding === 'json' ? Buffer.from(JSON.stringify(message)) : encode(message, { maxDepth: 200 })

  it.for(BAD_MESSAGES)('$name is answered with $code [P16]', async ({ message, code, withoutId, text = /./u }, { server }) => {
    const client = await connected(way, server)
    await client.sendPayload(write(message))
    const error = await until(client, 'error')
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringMatching(text) })
    expect(error.id).toBe(withoutId ? undefined : 7)
    await assertWorks(client)
  })

  it('nesting beyond the limit is answered with message_too_deep [P17]', async ({ server }) => {
    const client = await connected(way, server)
    await client.sendPayload(write({ type: 'echo', id: 6, data: nested(MAX_DEPTH - 1) }))
    await until(client, 'echo', { id: 6 })
    await client.sendPayload(write({ type: 'echo', id: 7, data: nested(MAX_DEPTH) }))
    // The MessagePack decoder goes no deeper than it has to; JSON is decoded by the platform before it is looked at.
    await until(client, 'error', { code: 'message_too_deep', ...(encoding === 'json' && { id: 7 }) })
    await assertWorks(client)
  })

  it.for(encoding === 'json' ? JSON_PAYLOADS : MSGPACK_PAYLOADS)(
    '$name is answered with $code [P16]',
    async ({ payload, code }, { server }) => {
      const client = await connected(way, server)
      await client.sendPayload(payload)
      expect(await until(client, 'error')).toMatchObject({ code, retryable: false })
      await assertWorks(client)
    },
  )

  it('a payload with one bad message among good ones has no effect where it is a whole [P16]', async ({ server }) => {
    const client = await connected(way, server)
    const parts = [{ type: 'echo', data: 1 }, undefined, { type: 'echo', data: 2 }]
    await client.sendPayload(
      encoding === 'json'
        ? parts.map((part) => (part ? JSON.stringify(part) : '{')).join('\n')
        : Buffer.concat(parts.map((part) => (part ? encode(part) : Buffer.from([0xc1])))),
    )
    await until(client, 'error', { code: 'malformed_message' })
    await assertWorks(client)
    expect(all(client, 'echo').filter(({ data }) => data !== undefined)).toHaveLength(framing === 'websocket' ? 0 : 2)
  })

  it('too large a message is refused [P17]', async ({ server }) => {
    const client = await connected(way, server)
    const message = (id: number, byteLength: number) => ({ type: 'echo', id, data: 'x'.repeat(byteLength) })
    await client.sendPayload(write(message(6, MAX_MESSAGE_BYTES - 100)))
    await until(client, 'echo', { id: 6 })
    await client.sendPayload(write(message(7, MAX_MESSAGE_BYTES))).catch(() => undefined)
    if (framing === 'websocket') {
      await eventually(() => expect([1009, 4201]).toContain(client.end?.closeCode))
      return
    }
    await until(client, 'error', { code: 'message_too_large' })
    await assertWorks(client)
  })

  it('requests before connect are refused, each with its id, and connect still works [P15]', async ({ server }) => {
    const client = await way.open(server)
    onTestFinished(() => client.destroy())
    const requests = [
      { type: 'subscribe', channel: 'a' },
      { type: 'unsubscribe', channel: 'a' },
      { type: 'publish', channel: 'a', data: 1 },
      { type: 'history', channel: 'a' },
      { type: 'presence', channel: 'a' },
      { type: 'rpc', method: 'a' },
      { type: 'refresh', token: 'a.b.c' },
    ]
    client.send(...requests.map((request, index) => ({ ...request, id: index + 1 })))
    for (const [index] of requests.entries())
      expect(await until(client, 'error', { id: index + 1 })).toMatchObject({ code: 'not_connected', retryable: false })
    client.send({ type: 'connect', id: 50 })
    await until(client, 'connected', { id: 50 })
    await assertWorks(client)
  })

  it('a second connect is refused, and changes nothing [P15]', async ({ server }) => {
    const client = await connected(way, server)
    client.send({ type: 'connect', id: 2 })
    expect(await until(client, 'error', { id: 2 })).toMatchObject({ code: 'already_connected' })
    await assertWorks(client)
    expect(all(client, 'connected')).toHaveLength(1)
  })

  it(`after ${MAX_BAD_MESSAGES} bad messages the connection is ended with malformed_message [P16]`, async ({ server }) => {
    const client = await connected(way, server)
    const rest = Array.from({ length: MAX_BAD_MESSAGES + 5 }, () => client.sendPayload(write({ type: 'shout' })))
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'malformed_message', closeCode: 4200, reconnect: false })
    await eventually(() => expect(client.end).toBeDefined())
    if (framing === 'websocket') expect(client.end?.closeCode).toBe(4200)
    expect(all(client, 'error')).toHaveLength(MAX_BAD_MESSAGES)
    await Promise.allSettled(rest)
  })

  it.runIf(framing !== 'websocket')('a line that is no UTF-8 is answered with malformed_message [P5]', async ({ server }) => {
    const client = await connected(way, server)
    await client.sendPayload(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]))
    await until(client, 'error', { code: 'malformed_message' })
    await assertWorks(client)
  })

  it.runIf(framing === 'requests')('too large a request is answered with 413 [T6]', async ({ server }) => {
    const client = await connected(way, server)
    expect(await client.sendPayload(Buffer.alloc(1_100_000, '\n'))).toBe(413)
    await assertWorks(client)
  })
})

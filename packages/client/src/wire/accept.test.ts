import { acceptServerMessage, SERVER_MESSAGES, type ServerMessage } from '@fusewire/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accept } from './accept.ts'

const connected = {
  type: 'connected',
  session: 's',
  resume: 'r',
  resumed: false,
  node: 'n',
  version: '1',
  pingIntervalMs: 25_000,
  pongTimeoutMs: 5000,
  sessionTtlMs: 60_000,
}
const position = { epoch: 'e', offset: 3 }
const publication = { offset: 3, data: { position: 'left', member: 1 }, time: 1 }

/** One of each, with everything that is optional. */
const MESSAGES: Record<ServerMessage['type'], Record<string, unknown>> = {
  open: { type: 'open', connection: 'c' },
  connected: { ...connected, id: 1, user: 'u', expiresAt: 9, development: true },
  subscribed: { type: 'subscribed', channel: 'c', position, id: 2, recovered: true, publications: [publication], expiresAt: 9 },
  publication: { type: 'publication', channel: 'c', ...publication, tags: { a: 'b' }, sender: { session: 's' } },
  join: { type: 'join', channel: 'c', member: { session: 's', user: 'u', info: 1 } },
  leave: { type: 'leave', channel: 'c', member: { session: 's' } },
  unsubscribed: { type: 'unsubscribed', channel: 'c', id: 3, code: 'x', reason: 'y' },
  pong: { type: 'pong', id: 4 },
  echo: { type: 'echo', id: 5, data: [1] },
  result: { type: 'result', id: 6, data: { publications: 1 } },
  error: { type: 'error', code: 'x', message: 'm', retryable: true, id: 7, channel: 'c', retryAfterMs: 5 },
  disconnect: { type: 'disconnect', code: 'x', closeCode: 4000, reason: 'r', reconnect: true, retryAfterMs: 5 },
}

test.each(Object.keys(SERVER_MESSAGES) as ServerMessage['type'][])('%s is accepted as the protocol accepts it', (type) => {
  const message = MESSAGES[type]
  expect(acceptServerMessage(structuredClone(message))).toEqual(message)
  expect(accept(message)).toBe(message)
})

test.each([
  [undefined],
  [null],
  [42],
  ['pong'],
  [[]],
  [{}],
  [{ type: 'position', epoch: 'e', offset: 1 }],
  [{ type: 'toString' }],
  [{ type: '__proto__' }],
  [{ type: 7 }],
  [{ type: 'something_new' }],
  [{ ...connected, pingIntervalMs: '25' }],
  [{ ...connected, resume: undefined }],
  [{ type: 'publication', channel: 'c' }],
  [{ type: 'subscribed', channel: 'c', position: null }],
  [{ type: 'subscribed', channel: 'c', position: [] }],
  [{ type: 'subscribed', channel: 'c', position: { epoch: 1, offset: 1 } }],
  [{ type: 'subscribed', channel: 'c', position, publications: { offset: 1 } }],
  [{ type: 'subscribed', channel: 'c', position, publications: [publication, {}] }],
  [{ type: 'subscribed', channel: 'c', position, publications: [null] }],
  [{ type: 'join', channel: 'c', member: {} }],
  [{ type: 'error', code: 'x', message: 'm', retryable: 'yes' }],
  [{ type: 'error', code: 'x', message: 'm', retryable: true, retryAfterMs: '5' }],
  [{ type: 'disconnect', code: 'x', closeCode: '4000', reason: 'r', reconnect: true }],
])('%j is refused', (value) => {
  expect(() => accept(value)).toThrow(TypeError)
})

test('the error names the field', () => {
  expect(() => accept({ type: 'subscribed', channel: 'c', position: { epoch: 'e' } })).toThrow('subscribed.position.offset')
})

test('no value brings down more than itself', () => {
  const type = fc.constantFrom(...Object.keys(MESSAGES))
  const fields = fc.dictionary(
    fc.constantFrom('type', 'channel', 'position', 'publications', 'member', 'offset', 'epoch', 'code', 'id', 'data'),
    fc.anything(),
  )
  fc.assert(
    fc.property(type, fields, (name, changes) => {
      try {
        accept({ ...MESSAGES[name as 'pong'], ...changes })
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }),
  )
})

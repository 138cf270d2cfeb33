import { describe, expect, it } from 'vitest'
import { acceptClientMessage, acceptServerMessage, MessageError } from './decode.ts'
import { isObject } from './schema.ts'

const refusal = (value: unknown, maxDepth = 32): MessageError => {
  try {
    acceptClientMessage(value, maxDepth)
  } catch (error) {
    if (error instanceof MessageError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])

describe('acceptClientMessage', () => {
  it('[P7] reads the type without regard to case, and gives it in lower case', () => {
    expect(acceptClientMessage({ type: 'PING' }, 32)).toEqual({ type: 'ping' })
    expect(acceptClientMessage({ type: 'Subscribe', channel: 'a' }, 32)).toEqual({ type: 'subscribe', channel: 'a' })
  })

  it('[P8] leaves fields that it does not know', () => {
    expect(acceptClientMessage({ type: 'ping', later: [1] }, 32)).toEqual({ type: 'ping', later: [1] })
  })

  it.each([
    ['a number', 1],
    ['null', null],
    ['an array', [{ type: 'ping' }]],
    ['text', 'ping'],
    ['bytes', new Uint8Array(1)],
    ['nothing', undefined],
  ])('refuses %s as malformed', (_, value) => expect(refusal(value)).toMatchObject({ code: 'malformed_message', id: undefined }))

  it.each(['', 'pingg', 'connected', '__proto__', 'constructor', 'toString', 'x'.repeat(10_000)])(
    'does not know the type %j',
    (type) => {
      const error = refusal({ type, id: 4 })
      expect(error).toMatchObject({ code: 'unknown_type', id: 4 })
      expect(error.message.length).toBeLessThan(200)
    },
  )

  it('names the field that is wrong', () => {
    const wrong = (value: object): string => refusal(value).message
    expect(wrong({ id: 1 })).toBe('type must be a string')
    expect(wrong({ type: 'publish', channel: 'a' })).toBe('publish: data is missing')
    expect(wrong({ type: 'publish', channel: '', data: 1 })).toBe('publish: channel must have 1 to 255 characters')
    expect(wrong({ type: 'publish', channel: 'a', data: 1, tags: { a: 1 } })).toBe('publish: tags.a must be a string')
    expect(wrong({ type: 'subscribe', channel: 'a', since: { epoch: 'e' } })).toBe('subscribe: since.offset is missing')
    expect(wrong({ type: 'subscribe', channel: 'a', since: { epoch: 'e', offset: 1.5 } })).toBe(
      'subscribe: since.offset must be an integer of at least 0',
    )
    expect(wrong({ type: 'connect', subscriptions: [{ channel: 'a' }, {}] })).toBe('connect: subscriptions[1].channel is missing')
    expect(wrong({ type: 'publish', channel: 'a', data: 1, tags: { ['n'.repeat(256)]: '' } })).toBe(
      'publish: tags has a name of more than 255 characters',
    )
  })

  it('does not take null for absence', () => {
    expect(refusal({ type: 'ping', id: null }).code).toBe('invalid_field')
  })

  it('takes fields from the message alone, not from what it inherits', () => {
    const message = JSON.parse('{"type":"publish","__proto__":{"channel":"a","data":1}}') as unknown
    expect(refusal(message).message).toBe('publish: channel is missing')
  })

  it('echoes the id of a request that it refuses, if that is a number a request can have', () => {
    expect(refusal({ type: 'rpc', id: 7 }).id).toBe(7)
    for (const id of [-1, 1.5, 2 ** 53, '7', null]) expect(refusal({ type: 'nothing', id }).id).toBeUndefined()
  })

  it('takes messages as deep as allowed and no deeper', () => {
    const message = (depth: number) => ({ type: 'echo', id: 3, data: nested(depth) })
    expect(acceptClientMessage(message(4), 5)).toEqual(message(4))
    expect(refusal(message(5), 5)).toMatchObject({ code: 'message_too_deep', id: 3 })
    expect(refusal({ type: 'echo', data: { a: { b: {} } } }, 3).code).toBe('message_too_deep')
    expect(acceptClientMessage({ type: 'ping', id: 1 }, 1)).toEqual({ type: 'ping', id: 1 })
  })

  it('does not count bytes as nesting', () => {
    expect(isObject(acceptClientMessage({ type: 'echo', data: new Uint8Array(3) }, 1))).toBe(true)
  })
})

describe('acceptServerMessage', () => {
  it('takes data of any depth without going down into it', () => {
    let data: unknown = 0
    for (let i = 0; i < 100_000; i++) data = [data]
    expect(acceptServerMessage({ type: 'echo', data }).type).toBe('echo')
  })

  it('knows its own messages alone', () => {
    expect(() => acceptServerMessage({ type: 'publish', channel: 'a', data: 1 })).toThrow(MessageError)
  })
})

import { LIMITS } from '@fusewire/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { API_LIMITS } from '../api-limits.ts'
import { batch } from '../commands/batch.ts'
import { publish } from '../commands/publish.ts'
import { usual } from './usual.ts'

const text = (maxLength: number) =>
  fc.oneof(fc.string(), fc.string({ minLength: maxLength - 1, maxLength: maxLength + 1 }), fc.jsonValue())

const anyPublish = fc.record(
  {
    channel: text(LIMITS.channelLength),
    data: fc.jsonValue(),
    key: text(LIMITS.keyLength),
    tags: fc.dictionary(fc.string(), fc.string()),
    patch: fc.boolean(),
    ['__proto__']: fc.jsonValue(),
    unknown: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const usualPublish = fc.record(
  { channel: fc.string({ minLength: 1, maxLength: 255 }), data: fc.jsonValue(), key: fc.string({ minLength: 1, maxLength: 64 }) },
  { requiredKeys: ['channel', 'data'] },
)
const anyCommand = fc.oneof(
  fc.record({ publish: fc.oneof(usualPublish, anyPublish) }),
  fc.record({ publish: usualPublish, disconnect: fc.constant({ user: 'ada' }) }, { requiredKeys: [] }),
  fc.jsonValue(),
)
const anyBatch = fc.oneof(
  fc.record({ commands: fc.oneof(fc.array(anyCommand, { maxLength: 3 }), fc.jsonValue()) }),
  fc.record({ commands: fc.array(fc.record({ publish: usualPublish })), more: fc.jsonValue() }, { requiredKeys: [] }),
)

const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each([
  ['publish', publish, fc.oneof(anyPublish, usualPublish, fc.jsonValue())],
  ['batch', batch, fc.oneof(anyBatch, fc.jsonValue())],
] as const)('what is usual for %s', (_name, { body }, anyBody) => {
  it('is taken by the schema as it is', () => {
    fc.assert(
      fc.property(anyBody.map(written), (value) => {
        fc.pre(usual.get(body)?.accepts(value) === true)
        expect(body.safeParse(value)).toEqual({ success: true, data: value })
      }),
    )
  })
})

const accepts = ({ body }: typeof publish, value: unknown): boolean | undefined => usual.get(body)?.accepts(value)

describe('usual', () => {
  it('are a channel, data and perhaps a key', () => {
    for (const data of [null, false, 0, '', {}, []]) expect(accepts(publish, { channel: 'a', data })).toBe(true)
    expect(accepts(publish, { key: 'k'.repeat(LIMITS.keyLength), channel: 'a'.repeat(LIMITS.channelLength), data: 1 })).toBe(true)
    expect(accepts(publish, { channel: 'a', data: 1, tags: {} })).toBe(false)
  })

  it('are as many publications as a batch may have', () => {
    const commands = (count: number) => Array.from({ length: count }, () => ({ publish: { channel: 'a', data: 1 } }))
    expect(accepts(batch, { commands: commands(API_LIMITS.commandsPerBatch) })).toBe(true)
    expect(accepts(batch, { commands: commands(API_LIMITS.commandsPerBatch + 1) })).toBe(false)
    expect(accepts(batch, { commands: [] })).toBe(false)
    expect(accepts(batch, { commands: [...commands(1), { disconnect: { user: 'ada' } }] })).toBe(false)
  })
})

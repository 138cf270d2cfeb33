import { EngineHarness, FakeHooks, HeldCalls, type MemoryConnection, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import { DEFAULT_RULE, DEVELOPMENT_RULE } from './rule.ts'

const CHANNEL = 'doc:1'
const calls = new HeldCalls()
let harness: EngineHarness
let client: MemoryConnection

beforeEach(async () => {
  calls.holding = 'nothing'
  harness = await EngineHarness.start({
    broker: (environment) => calls.of(new MemoryBroker(environment), 'history', 'state'),
    rules: {
      'doc:*': { ...DEVELOPMENT_RULE, state: true, historySize: 3, maxDocumentBytes: 100 },
      'drop:*': { ...DEFAULT_RULE, state: true, publish: 'user', subscribe: 'owner' },
    },
  })
  client = await harness.connect({ token: 'ann' })
})

const publish = (data: unknown): void => void harness.engine.publish(CHANNEL, { data })
const patch = (data: unknown): void => void harness.engine.publish(CHANNEL, { data, patch: true })

describe('[D1] a subscription in a state channel', () => {
  it('begins with the document at its position, and each change follows', async () => {
    publish({ a: 1 })
    patch({ b: 2 })
    await harness.subscribe(client, CHANNEL)
    const { position, document, recovered } = client.last('subscribed')
    expect({ offset: position.offset, document, recovered }).toEqual({
      offset: 2,
      document: { a: 1, b: 2 },
      recovered: undefined,
    })
    patch({ a: null })
    publish(null)
    expect(client.all('publication').map(({ offset, data, patch: isPatch }) => [offset, data, isPatch])).toEqual([
      [3, { a: null }, true],
      [4, null, undefined],
    ])
  })

  it('begins without a document when nothing has been published, and with null when that is the document', async () => {
    await harness.subscribe(client, CHANNEL)
    expect(client.last('subscribed')).not.toHaveProperty('document')
    publish(null)
    await harness.subscribe(client, CHANNEL)
    expect(client.last('subscribed')).toHaveProperty('document', null)
  })

  it('continues a position by the changes alone, or is given the document where some are not kept', async () => {
    await harness.subscribe(client, CHANNEL)
    const { position } = client.last('subscribed')
    publish({ n: 0 })
    for (let n = 1; n < 3; n++) patch({ n })
    await harness.subscribe(client, CHANNEL, position)
    expect(client.last('subscribed')).toMatchObject({
      recovered: true,
      publications: [{ offset: 1 }, { offset: 2 }, { offset: 3 }],
    })
    expect(client.last('subscribed')).not.toHaveProperty('document')
    patch({ n: 3 })
    await harness.subscribe(client, CHANNEL, position)
    expect(client.last('subscribed')).toMatchObject({ recovered: false, position: { offset: 4 }, document: { n: 3 } })
    expect(client.last('subscribed')).not.toHaveProperty('publications')
  })

  it('gets a document that fits its position, though changes flow while it is read', async () => {
    publish({ n: 0 })
    calls.holding = 'answers'
    await harness.subscribe(client, CHANNEL)
    patch({ n: 1 })
    calls.release()
    patch({ n: 2 })
    await turn()
    expect(client.last('subscribed')).toMatchObject({ position: { offset: 1 }, document: { n: 0 } })
    expect(client.all('publication').map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('of a resumed session that does not name it gets the document', async () => {
    await harness.subscribe(client, CHANNEL)
    publish({ a: 1 })
    client.cut()
    const second = await harness.connect({ resume: client.last('connected').resume })
    expect(second.last('subscribed')).toMatchObject({ recovered: false, document: { a: 1 } })
  })

  it('cannot ask for tags', async () => {
    client.say({ type: 'subscribe', id: 5, channel: CHANNEL, tags: { a: 'b' } })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 5, code: 'invalid_field' })
  })

  it('goes on when the history is cleared under it, and from before that gets the document', async () => {
    publish({ n: 0 })
    await harness.subscribe(client, CHANNEL)
    const { position } = client.last('subscribed')
    patch({ a: 1 })
    harness.engine.clearHistory(CHANNEL)
    patch({ b: 2 })
    await turn()
    expect(client.all('subscribed')).toHaveLength(1)
    expect(client.all('publication').map(({ offset }) => offset)).toEqual([2, 3])
    await harness.subscribe(client, CHANNEL, position)
    expect(client.last('subscribed')).toMatchObject({ recovered: false, document: { n: 0, a: 1, b: 2 } })
    await harness.subscribe(client, CHANNEL, { ...position, offset: 2 })
    expect(client.last('subscribed')).toMatchObject({ recovered: true, publications: [{ offset: 3 }] })
  })

  it('is told when the document is removed, and of what is made after that', async () => {
    publish({ a: 1 })
    await harness.subscribe(client, CHANNEL)
    const { position } = client.last('subscribed')
    expect(harness.engine.removeState(CHANNEL)).toBe(true)
    await turn()
    const again = client.last('subscribed')
    expect(again).toMatchObject({ recovered: false, position: { offset: 0 } })
    expect(again).not.toHaveProperty('document')
    expect(again.position.epoch).not.toBe(position.epoch)
    patch({ b: 1 })
    expect(client.last('publication')).toMatchObject({ offset: 1, data: { b: 1 }, patch: true })
  })
})

describe('[D2] a patch', () => {
  it('is delivered as one, and recovered as one', async () => {
    await harness.subscribe(client, CHANNEL)
    client.say({ type: 'publish', id: 5, channel: CHANNEL, data: { a: 1 }, patch: true })
    expect(client.last('result')).toMatchObject({ id: 5, data: { position: { offset: 1 } } })
    expect(client.last('publication')).toMatchObject({ patch: true, data: { a: 1 }, sender: { user: 'ann' } })
    expect(await harness.engine.state(CHANNEL)).toMatchObject({ document: { a: 1 } })
  })

  it('is refused in other channels', () => {
    client.say({ type: 'publish', id: 5, channel: 'open:a', data: { a: 1 }, patch: true })
    expect(client.last('error')).toMatchObject({ id: 5, code: 'feature_disabled' })
  })

  it('that would make the document too large is refused, and nobody hears of it', async () => {
    await harness.subscribe(client, CHANNEL)
    client.say({ type: 'publish', id: 5, channel: CHANNEL, data: { a: 'x'.repeat(100) }, patch: true })
    expect(client.last('error')).toMatchObject({ id: 5, channel: CHANNEL, code: 'document_too_large', retryable: false })
    expect(client.all('publication')).toEqual([])
  })
})

describe('[D3] ifPosition', () => {
  it('lets one writer through, and tells the other of the document that it lost to', async () => {
    await harness.subscribe(client, CHANNEL)
    const { position: ifPosition } = client.last('subscribed')
    client.say({ type: 'publish', id: 5, channel: CHANNEL, data: { a: 1 }, ifPosition })
    client.say({ type: 'publish', id: 6, channel: CHANNEL, data: { a: 2 }, ifPosition })
    expect(client.last('result')).toMatchObject({ id: 5, data: { position: { offset: 1 } } })
    expect(client.last('error')).toEqual({
      type: 'error',
      id: 6,
      channel: CHANNEL,
      code: 'conflict',
      message: expect.any(String),
      retryable: false,
      position: { ...ifPosition, offset: 1 },
      document: { a: 1 },
    })
    expect(client.all('publication')).toHaveLength(1)
  })

  it('works in channels without a document', async () => {
    await harness.subscribe(client, 'open:a')
    const { position: ifPosition } = client.last('subscribed')
    client.say({ type: 'publish', channel: 'open:a', data: 1, ifPosition })
    client.say({ type: 'publish', id: 6, channel: 'open:a', data: 2, ifPosition })
    expect(client.last('error')).toMatchObject({ id: 6, code: 'conflict', position: { ...ifPosition, offset: 1 } })
    expect(client.last('error')).not.toHaveProperty('document')
  })

  it('does not show the document to those who may write and not read', () => {
    const publishing = (channel: string): void =>
      client.say({ type: 'publish', channel, data: { secret: 1 }, ifPosition: { epoch: 'x', offset: 0 } })
    harness.engine.publish('drop:bob', { data: { secret: 1 } })
    publishing('drop:bob')
    expect(client.last('error')).toMatchObject({ code: 'conflict', position: { offset: 1 } })
    expect(client.last('error')).not.toHaveProperty('document')
    harness.engine.publish('drop:ann', { data: { secret: 1 } })
    publishing('drop:ann')
    expect(client.last('error')).toMatchObject({ code: 'conflict', document: { secret: 1 } })
  })
})

describe('[D4] reading the document', () => {
  it('is for those who may subscribe', async () => {
    harness.engine.publish('drop:ann', { data: 1 })
    expect(await harness.engine.stateFor('ann', 'drop:ann')).toMatchObject({ position: { offset: 1 }, document: 1 })
    await expect(harness.engine.stateFor('bob', 'drop:ann')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(harness.engine.stateFor(undefined, 'drop:ann')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(harness.engine.stateFor('bad', CHANNEL)).rejects.toMatchObject({ code: 'token_invalid' })
    expect(await harness.engine.stateFor('admin', 'drop:ann')).toMatchObject({ document: 1 })
  })

  it.each(['connect', 'subscribe'] as const)(
    'is refused to clients without a session where the %s hook decides',
    async (event) => {
      const hooks = new FakeHooks()
      hooks.decisions[event] = () => ({ decision: 'allow' })
      const asking = await EngineHarness.start({ hooks, rules: { 'doc:*': { ...DEVELOPMENT_RULE, state: true } } })
      await expect(asking.engine.stateFor('ann', CHANNEL)).rejects.toMatchObject({ code: 'permission_denied' })
      expect(await asking.engine.state(CHANNEL)).toMatchObject({ position: { offset: 0 } })
    },
  )

  it('is refused where the rule keeps none', async () => {
    await expect(harness.engine.stateFor('ann', 'open:a')).rejects.toMatchObject({ code: 'feature_disabled' })
    expect(() => harness.engine.state('open:a')).toThrow(expect.objectContaining({ code: 'feature_disabled' }))
    expect(() => harness.engine.removeState('open:a')).toThrow(expect.objectContaining({ code: 'feature_disabled' }))
  })
})

import { EngineHarness } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { slotOf } from './conflation.ts'
import type { Frame, Slot } from './ports/connection.ts'
import { type ChannelRule, DEFAULT_RULE, DEVELOPMENT_RULE } from './rule.ts'

const of = (rule: Partial<ChannelRule>, tags?: Record<string, string>, channel = 'ticks'): Slot | undefined =>
  slotOf(channel, { offset: 1, data: 0, time: 1, ...(tags && { tags }) }, { ...DEFAULT_RULE, ...rule })

describe('the slot of a publication', () => {
  it('is there only where the rule says latest', () => {
    expect(of({})).toBeUndefined()
    expect(of({ conflationTag: 'symbol' }, { symbol: 'A' })).toBeUndefined()
    expect(of({ slowConsumer: 'latest' })).toBeDefined()
  })

  it('is the same for all of a channel, or for those with the same value of the tag, and for no others', () => {
    const all = { slowConsumer: 'latest' } as const
    const byKey = { ...all, conflationTag: 'symbol' }
    expect(of(all, { symbol: 'A' })).toBe(of(all, { symbol: 'B' }))
    expect(of(byKey, { symbol: 'A', side: 'buy' })).toBe(of(byKey, { symbol: 'A' }))
    const different = [
      of(all),
      of(all, {}, 'other'),
      of(byKey, { symbol: 'A' }),
      of(byKey, { symbol: '' }),
      of(byKey, { symbol: 'A' }, 'other'),
    ]
    expect(new Set(different).size).toBe(different.length)
  })

  it('is missing where the tag is, so that such a publication is never passed over', () => {
    expect(of({ slowConsumer: 'latest', conflationTag: 'symbol' })).toBeUndefined()
    expect(of({ slowConsumer: 'latest', conflationTag: 'symbol' }, { side: 'buy' })).toBeUndefined()
  })
})

describe('a channel with latest', () => {
  it('[S10] gives connections the slot of each publication, and of nothing else, and says so to subscribers', async () => {
    const ticks: ChannelRule = { ...DEVELOPMENT_RULE, slowConsumer: 'latest', conflationTag: 'symbol' }
    const harness = await EngineHarness.start({ rules: { 'ticks:*': ticks } })
    const client = await harness.connect()
    const sent: [frame: Frame, slot: Slot | undefined][] = []
    const send = client.send.bind(client)
    client.send = (frame: Frame, slot?: Slot) => {
      sent.push([frame, slot])
      send(frame)
    }
    await harness.subscribe(client, 'ticks:all')
    expect(client.last('subscribed')).toMatchObject({ channel: 'ticks:all', conflated: true })
    await harness.subscribe(client, 'open:a')
    expect(client.last('subscribed')).not.toHaveProperty('conflated')
    expect(sent.map(([, slot]) => slot)).toEqual([undefined, undefined])

    sent.length = 0
    for (const symbol of ['A', 'B', 'A']) harness.engine.publish('ticks:all', { data: 1, tags: { symbol } })
    harness.engine.publish('ticks:all', { data: 'the market closes' })
    harness.engine.publish('open:a', { data: 1, tags: { symbol: 'A' } })
    const slots = sent.map(([, slot]) => slot)
    expect(slots[0]).toBeDefined()
    expect(slots[1]).toBeDefined()
    expect(slots).toEqual([slots[0], slots[1], slots[0], undefined, undefined])
    expect(slots[0]).not.toBe(slots[1])
  })
})

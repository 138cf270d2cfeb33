import { expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { type CurrentBroker, KEPT, offsets } from './broker-trial.ts'

/** Several nodes over the same publications. */
export const nodeTests = (current: CurrentBroker): void => {
  it('reaches other nodes, which count together with it', async (context) => {
    const { broker, heard, another } = current()
    const there = await another()
    if (!there) return context.skip()
    const { other, heardThere } = there
    await Promise.all([broker.subscribe('a'), other.subscribe('a')])
    const published = await Promise.all(
      [...Array(20).keys()].map((i) => (i % 2 ? broker : other).publish('a', { data: i }, KEPT)),
    )
    expect(published.map(({ position }) => position.offset).sort((a, b) => a - b)).toEqual(
      [...Array(20).keys()].map((i) => i + 1),
    )
    // Each node has heard its own by now; what comes from the other may still be under way, but it is in the history.
    const last = await broker.publish('a', { data: 'last' }, KEPT)
    expect((await other.history('a', {})).position).toEqual(last.position)
    expect(offsets(heard)).toEqual([...Array(21).keys()].map((i) => i + 1))
    expect(offsets(heardThere)).toEqual([...offsets(heardThere)].sort((a, b) => a - b))
  })

  it('knows what other nodes have done in a channel that nobody listens to here', async (context) => {
    const { broker, publish, another } = current()
    const there = await another()
    if (!there) return context.skip()
    const { other } = there
    await publish('a', 1)
    await other.publish('a', { data: 2 }, KEPT)
    const { position } = await other.publish('a', { data: 3 }, KEPT)
    expect((await publish('a', 4, { ifPosition: position })).position.offset).toBe(4)
    await broker.clearHistory('a')
    await other.publish('a', { data: 5 }, KEPT)
    await broker.clearHistory('a')
    expect((await other.history('a', {})).publications).toEqual([])
    await other.publish('a', { data: { six: 6 } }, { ...KEPT, state: { ttlMs: 60_000, maxDocumentBytes: 100 } })
    expect(await broker.removeDocument('a')).toBe(true)
    expect(await other.state('a')).not.toHaveProperty('document')
  })

  it('says that something may be missing when it was cut off, and goes on without a gap', async (context) => {
    const { subject, broker, heard, interruptions, publishMany, read, another } = current()
    const there = await another()
    if (!subject.interrupt || !there) return context.skip()
    const { other } = there
    await broker.subscribe('a')
    await publishMany('a', 2)
    const since = (await read('a')).position
    await subject.interrupt(async () => {
      await other.publish('a', { data: 'missed' }, KEPT)
    })
    await eventually(() => expect(interruptions).toContain('a'))
    const page = await read('a', since)
    await other.publish('a', { data: 'heard' }, KEPT)
    await eventually(() => expect(heard.at(-1)?.data).toBe('heard'))
    expect(page.publications.map(({ data }) => data)).toContain('missed')
  })
}

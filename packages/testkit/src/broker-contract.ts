import type { Announcement, Awaitable, Broker, Published, PublishOptions } from '@fusewire/engine'
import { acceptServerMessage, jsonSize, type Position, type Publication } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokerDocumentContract, conflict } from './broker-document-contract.ts'
import { brokerModelProperty } from './broker-model.ts'
import { eventually } from './eventually.ts'

/** A broker to be tested, with nothing in it. */
export interface BrokerUnderTest {
  readonly broker: Broker
  /** Lets at least this many milliseconds pass for the broker. */
  readonly pass: (ms: number) => Awaitable<void>
  /** The broker's idempotency window, in milliseconds. */
  readonly idempotencyTtlMs: number
  /** The broker of another node over the same publications; absent where there can be no other. It is closed by the suite. */
  readonly another?: () => Awaitable<Broker>
  /**
   * Cuts the broker off from its publications, for as long as `meanwhile` takes; settles when it is back. Absent where nothing can
   * come in between.
   */
  readonly interrupt?: (meanwhile: () => Promise<void>) => Promise<void>
}

export interface BrokerContractOptions {
  /** Random histories that are compared with a model. Default 200; fewer where each operation takes a network's time. */
  readonly runs?: number
  /** How many of them go on at a time, each with a broker of its own: for brokers whose time is real, and has to be waited for. Default 1. */
  readonly runsAtOnce?: number
}

const HISTORY_TTL_MS = 1_000
const KEPT: PublishOptions = { historySize: 5, historyTtlMs: HISTORY_TTL_MS, historyBytes: 1_000_000 }

/** What every {@link Broker} must do, as a suite of tests. `makeBroker` is called before each test. */
export const brokerContract = (
  name: string,
  makeBroker: () => Awaitable<BrokerUnderTest>,
  { runs = 200, runsAtOnce = 1 }: BrokerContractOptions = {},
): void => {
  describe(`${name} is a Broker`, () => {
    let subject: BrokerUnderTest
    let broker: Broker
    let heard: (Publication & { channel: string })[]
    let epochs: Set<string>
    let interruptions: string[]
    let announced: Announcement[]
    const opened: Broker[] = []

    const publish = async (channel: string, data: unknown, options: Partial<PublishOptions> = {}): Promise<Published> =>
      broker.publish(channel, { data }, { ...KEPT, ...options })
    const publishMany = async (channel: string, count: number, options: Partial<PublishOptions> = {}): Promise<Published> => {
      for (let i = 1; i < count; i++) await publish(channel, i, options)
      return publish(channel, count, options)
    }
    const read = async (channel: string, since?: Position) => broker.history(channel, since ? { since } : {})
    const offsets = (publications: readonly Publication[]): number[] => publications.map(({ offset }) => offset)

    beforeEach(async () => {
      subject = await makeBroker()
      broker = subject.broker
      heard = []
      epochs = new Set()
      interruptions = []
      announced = []
      await broker.start({
        publication: (channel, publication, epoch) => {
          heard.push({ channel, ...publication })
          epochs.add(epoch)
        },
        interrupted: (channel) => interruptions.push(channel),
        announcement: (message) => announced.push(message),
      })
      opened.push(broker)
    })
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close()
    })

    describe('positions', () => {
      it('gives the first publication offset 1, and each later one the next', async () => {
        const published = [await publish('a', 'x'), await publish('a', 'y'), await publish('a', 'z')]
        expect(published.map(({ position }) => position.offset)).toEqual([1, 2, 3])
        expect(new Set(published.map(({ position }) => position.epoch)).size).toBe(1)
      })

      it('counts each channel by itself', async () => {
        await publishMany('a', 3)
        expect((await publish('b', 'x')).position.offset).toBe(1)
      })

      it('counts on when nothing is kept', async () => {
        await publishMany('a', 3, { historySize: 0 })
        expect((await publish('a', 'x')).position.offset).toBe(4)
      })

      it('gives publishers at the same moment different offsets without a gap', async () => {
        await broker.subscribe('a')
        const published = await Promise.all(Array.from({ length: 50 }, (_, i) => publish('a', i)))
        const expected = Array.from({ length: 50 }, (_, i) => i + 1)
        expect(published.map(({ position }) => position.offset).sort((a, b) => a - b)).toEqual(expected)
        expect(offsets(heard)).toEqual(expected)
      })

      it('has a position before the first publication, from which everything follows', async () => {
        const { position, publications } = await read('a')
        expect(position.offset).toBe(0)
        expect(publications).toEqual([])
        await publishMany('a', 2)
        const page = await read('a', position)
        expect(page.complete).toBe(true)
        expect(offsets(page.publications)).toEqual([1, 2])
        expect(page.position).toEqual({ epoch: position.epoch, offset: 2 })
      })

      it('tells epochs that a client may send back', async () => {
        const { epoch } = (await publish('a', 'x')).position
        expect(epoch.length).toBeGreaterThan(0)
        expect(epoch.length).toBeLessThanOrEqual(64)
      })
    })

    describe('delivery', () => {
      it('hands a publication to the listener before publish answers', async () => {
        await broker.subscribe('a')
        const answer = broker.publish('a', { data: 'x' }, KEPT)
        const heardBefore = answer instanceof Promise ? await answer.then(() => heard.length) : heard.length
        expect(heardBefore).toBe(1)
        expect(heard.map(({ channel, offset, data }) => [channel, offset, data])).toEqual([['a', 1, 'x']])
      })

      it('hands over each publication once, in order, though subscribed twice', async () => {
        await broker.subscribe('a')
        await broker.subscribe('a')
        await publishMany('a', 10)
        expect(offsets(heard)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      })

      it('tells the epoch along with each publication', async () => {
        await broker.subscribe('a')
        const { position } = await publishMany('a', 2)
        expect([...epochs]).toEqual([position.epoch])
      })

      it('delivers again after unsubscribe and subscribe', async () => {
        await broker.subscribe('a')
        await publish('a', 'x')
        await broker.unsubscribe('a')
        await publish('a', 'y')
        await broker.subscribe('a')
        await publish('a', 'z')
        expect(heard.filter(({ data }) => data !== 'y').map(({ offset }) => offset)).toEqual([1, 3])
      })

      it('carries out unsubscribe and subscribe in their order, though nobody waits for them', async () => {
        await broker.subscribe('a')
        await Promise.all([broker.unsubscribe('a'), broker.subscribe('a')])
        await publish('a', 'x')
        expect(offsets(heard)).toEqual([1])
      })

      it('takes unsubscribe of a channel without subscription', async () => {
        await broker.unsubscribe('never')
        expect((await publish('never', 'x')).position.offset).toBe(1)
      })

      it('delivers what is not kept, too', async () => {
        await broker.subscribe('a')
        await publish('a', 'x', { historySize: 0 })
        expect(offsets(heard)).toEqual([1])
      })

      it('announces who comes and goes, in order, and only where that is of interest', async () => {
        const member = { session: 's1', user: 'ada', info: { name: 'Ada' } }
        await broker.subscribe('a')
        await Promise.all([
          broker.announce({ type: 'join', channel: 'a', member }),
          broker.announce({ type: 'join', channel: 'b', member }),
          broker.announce({ type: 'leave', channel: 'a', member }),
        ])
        await eventually(() =>
          expect(announced.filter(({ channel }) => channel === 'a')).toEqual([
            { type: 'join', channel: 'a', member },
            { type: 'leave', channel: 'a', member },
          ]),
        )
        expect((await publish('a', 'x')).position.offset).toBe(1)
      })

      it('carries data, tags, sender and time as the protocol has them', async () => {
        await broker.subscribe('a')
        const draft = {
          data: {
            text: 'žluť 🐎',
            list: [1, -1.5, null, true, { deep: [] }],
            large: Number.MAX_SAFE_INTEGER,
            bytes: new Uint8Array([0, 255]),
          },
          tags: { lang: 'cs' },
          sender: { session: 's1', user: 'u1', info: { name: 'Ada' } },
        }
        await broker.publish('a', draft, KEPT)
        const [kept] = (await read('a')).publications
        const [{ channel: _, ...delivered } = { channel: '' }] = heard
        expect(kept).toEqual({ offset: 1, time: expect.any(Number), ...draft })
        expect(delivered).toEqual(kept)
        expect(() => acceptServerMessage({ type: 'publication', channel: 'a', ...kept })).not.toThrow()
      })

      it('adds no tags and no sender where there are none', async () => {
        await publish('a', null)
        const [kept] = (await read('a')).publications
        expect(Object.keys(kept ?? {}).sort()).toEqual(['data', 'offset', 'time'])
      })
    })

    describe('history', () => {
      it('keeps the newest publications up to its size', async () => {
        await publishMany('a', 8)
        expect(offsets((await read('a')).publications)).toEqual([4, 5, 6, 7, 8])
      })

      it('keeps nothing with size 0, and then completes only the newest position', async () => {
        const { position } = await publishMany('a', 3, { historySize: 0 })
        expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
        expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
      })

      it('keeps what fits into its bytes, the newest first', async () => {
        const historyBytes = 3 * jsonSize({ data: 'xxxxx' })
        for (let n = 0; n < 4; n++) await publish('a', 'xxxxx', { historyBytes })
        expect(offsets((await read('a')).publications)).toEqual([2, 3, 4])
        await publish('a', 'xxxxxx', { historyBytes })
        expect(offsets((await read('a')).publications)).toEqual([4, 5])
        const { position } = await publish('a', 'x'.repeat(historyBytes), { historyBytes })
        expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
        expect((await read('a', { ...position, offset: 5 })).complete).toBe(false)
        expect(offsets((await read('a')).publications)).toEqual([])
      })

      it('counts tags and senders among its bytes', async () => {
        const draft = { data: 1, tags: { lang: 'cs' }, sender: { session: 's1' } }
        const options = { ...KEPT, historyBytes: 2 * jsonSize(draft) - 1 }
        for (let n = 0; n < 2; n++) await broker.publish('a', draft, options)
        expect(offsets((await read('a')).publications)).toEqual([2])
      })

      it('forgets publications after their time', async () => {
        const { position } = await publishMany('a', 2)
        await subject.pass(HISTORY_TTL_MS + 500)
        expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
        expect((await read('a', { ...position, offset: 1 })).complete).toBe(false)
        expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 3 })
        expect(offsets((await read('a', position)).publications)).toEqual([3])
      })

      it('answers limit with the oldest, and reversed with the newest first', async () => {
        await publishMany('a', 5)
        const query = async (q: Parameters<Broker['history']>[1]) => offsets((await broker.history('a', q)).publications)
        expect(await query({ limit: 2 })).toEqual([1, 2])
        expect(await query({ limit: 2, reverse: true })).toEqual([5, 4])
        expect(await query({ reverse: true })).toEqual([5, 4, 3, 2, 1])
        expect(await query({ limit: 0 })).toEqual([])
        expect(await query({ limit: 100 })).toEqual([1, 2, 3, 4, 5])
      })

      it('tells the newest position, whatever was asked', async () => {
        const { position } = await publishMany('a', 5)
        for (const query of [{}, { limit: 0 }, { limit: 1 }, { reverse: true }, { since: { ...position, offset: 2 } }])
          expect((await broker.history('a', query)).position).toEqual(position)
      })
    })

    describe('since', () => {
      it('gives exactly what follows the position', async () => {
        const { position } = await publishMany('a', 5)
        const page = await read('a', { ...position, offset: 3 })
        expect(page.complete).toBe(true)
        expect(offsets(page.publications)).toEqual([4, 5])
      })

      it('combines with limit and reverse', async () => {
        const { position } = await publishMany('a', 5)
        const since = { ...position, offset: 2 }
        expect(offsets((await broker.history('a', { since, limit: 2 })).publications)).toEqual([3, 4])
        expect(offsets((await broker.history('a', { since, limit: 2, reverse: true })).publications)).toEqual([5, 4])
      })

      it('is complete up to the oldest publication that is kept, and not one further', async () => {
        const { position } = await publishMany('a', 8)
        expect((await read('a', { ...position, offset: 3 })).complete).toBe(true)
        expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
      })

      it('is not complete for another epoch', async () => {
        const { position } = await publishMany('a', 2)
        expect((await read('a', { epoch: `${position.epoch}x`, offset: 2 })).complete).toBe(false)
        expect((await read('untouched', { epoch: 'x', offset: 0 })).complete).toBe(false)
      })

      it('is not complete for a position ahead of the channel', async () => {
        const { position } = await publishMany('a', 2)
        expect((await read('a', { ...position, offset: 3 })).complete).toBe(false)
        const untouched = await read('untouched')
        expect((await read('untouched', { ...untouched.position, offset: 1 })).complete).toBe(false)
      })
    })

    describe('clearHistory', () => {
      it('forgets the publications and counts on', async () => {
        const { position } = await publishMany('a', 3)
        await broker.clearHistory('a')
        expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
        expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
        expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 4 })
        expect(offsets((await read('a', position)).publications)).toEqual([4])
      })

      it('takes a channel that has never been used', async () => {
        await broker.clearHistory('never')
        expect((await read('never')).position.offset).toBe(0)
      })
    })

    describe('ifPosition', () => {
      it('lets through what follows the newest position, before the first publication too', async () => {
        const { position } = await read('a')
        const first = await publish('a', 'x', { ifPosition: position })
        expect(first.position.offset).toBe(1)
        expect((await publish('a', 'y', { ifPosition: first.position })).position.offset).toBe(2)
      })

      it('refuses any other with the newest position, and publishes nothing', async () => {
        await broker.subscribe('a')
        const { position } = await publishMany('a', 2)
        const others = [
          { ...position, offset: 1 },
          { ...position, offset: 3 },
          { epoch: 'x', offset: 2 },
        ]
        for (const ifPosition of others) expect(await conflict(publish('a', 'x', { ifPosition }))).toEqual({ position })
        expect(offsets(heard)).toEqual([1, 2])
        expect(offsets((await read('a')).publications)).toEqual([1, 2])
        expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 3 })
      })

      it('lets one of several publishers at the same moment through', async () => {
        const { position } = await publish('a', 0)
        const tries = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => publish('a', n, { ifPosition: position })))
        expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        expect((await read('a')).position.offset).toBe(2)
      })

      it('comes after the idempotency key: a repetition gets the first answer, and a conflict uses no key up', async () => {
        const { position } = await read('a')
        const options = { ifPosition: position, idempotencyKey: 'k' }
        const first = await publish('a', 'x', options)
        expect(await publish('a', 'x', options)).toEqual({ position: first.position, duplicate: true })
        await conflict(publish('a', 'y', { ifPosition: position, idempotencyKey: 'other' }))
        expect((await publish('a', 'y', { idempotencyKey: 'other' })).duplicate).toBe(false)
      })
    })

    describe('idempotency keys', () => {
      it('make a repetition answer with the first position and change nothing', async () => {
        await broker.subscribe('a')
        const first = await publish('a', 'x', { idempotencyKey: 'k' })
        const other = await publish('a', 'y')
        const second = await publish('a', 'z', { idempotencyKey: 'k' })
        expect(first.duplicate).toBe(false)
        expect(second).toEqual({ position: first.position, duplicate: true })
        expect(heard.map(({ data }) => data)).toEqual(['x', 'y'])
        expect((await read('a')).position).toEqual(other.position)
      })

      it('belong to one channel', async () => {
        await publish('a', 'x', { idempotencyKey: 'k' })
        expect((await publish('b', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
        await publish('c', 'x', { idempotencyKey: 'd:k' })
        expect((await publish('c:d', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
      })

      it('let one of several publishers at the same moment through', async () => {
        const published = await Promise.all(Array.from({ length: 10 }, (_, i) => publish('a', i, { idempotencyKey: 'k' })))
        expect(published.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
        expect((await read('a')).publications).toHaveLength(1)
      })

      it('hold when nothing is kept, or when it was cleared', async () => {
        await publish('a', 'x', { idempotencyKey: 'k', historySize: 0 })
        await broker.clearHistory('a')
        expect((await publish('a', 'x', { idempotencyKey: 'k', historySize: 0 })).duplicate).toBe(true)
      })

      it('are forgotten after the window', async () => {
        await publish('a', 'x', { idempotencyKey: 'k' })
        await subject.pass(subject.idempotencyTtlMs + 500)
        expect((await publish('a', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
      })
    })

    it('reaches other nodes, which count together with it', async (context) => {
      if (!subject.another) return context.skip()
      const other = await subject.another()
      opened.push(other)
      const others: Publication[] = []
      await other.start({
        publication: (_, publication) => others.push(publication),
        interrupted: () => undefined,
        announcement: () => undefined,
      })
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
      expect(offsets(others)).toEqual([...offsets(others)].sort((a, b) => a - b))
    })

    it('knows what other nodes have done in a channel that nobody listens to here', async (context) => {
      if (!subject.another) return context.skip()
      const other = await subject.another()
      opened.push(other)
      await other.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
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

    brokerDocumentContract(makeBroker)

    it('says that something may be missing when it was cut off, and goes on without a gap', async (context) => {
      if (!subject.interrupt) return context.skip()
      const other = await subject.another?.()
      if (!other) return context.skip()
      opened.push(other)
      await other.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
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

    it('closes twice without harm', async () => {
      await broker.close()
      await broker.close()
    })

    it('behaves like a simple model, whatever is done in whatever order', async () => {
      const each = Math.ceil(runs / runsAtOnce)
      await Promise.all(Array.from({ length: runsAtOnce }, () => brokerModelProperty(makeBroker, each)))
    }, 60_000)
  })
}

import { acceptServerMessage } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { type CurrentBroker, KEPT, offsets } from './broker-trial.ts'

/** What reaches the listener, and how. */
export const deliveryTests = (current: CurrentBroker): void => {
  describe('delivery', () => {
    it('hands a publication to the listener before publish answers', async () => {
      const { broker, heard } = current()
      await broker.subscribe('a')
      const answer = broker.publish('a', { data: 'x' }, KEPT)
      const heardBefore = answer instanceof Promise ? await answer.then(() => heard.length) : heard.length
      expect(heardBefore).toBe(1)
      expect(heard.map(({ channel, offset, data }) => [channel, offset, data])).toEqual([['a', 1, 'x']])
    })

    it('hands over each publication once, in order, though subscribed twice', async () => {
      const { broker, heard, publishMany } = current()
      await broker.subscribe('a')
      await broker.subscribe('a')
      await publishMany('a', 10)
      expect(offsets(heard)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    })

    it('tells the epoch along with each publication', async () => {
      const { broker, epochs, publishMany } = current()
      await broker.subscribe('a')
      const { position } = await publishMany('a', 2)
      expect([...epochs]).toEqual([position.epoch])
    })

    it('delivers again after unsubscribe and subscribe', async () => {
      const { broker, heard, publish } = current()
      await broker.subscribe('a')
      await publish('a', 'x')
      await broker.unsubscribe('a')
      await publish('a', 'y')
      await broker.subscribe('a')
      await publish('a', 'z')
      expect(heard.filter(({ data }) => data !== 'y').map(({ offset }) => offset)).toEqual([1, 3])
    })

    it('carries out unsubscribe and subscribe in their order, though nobody waits for them', async () => {
      const { broker, heard, publish } = current()
      await broker.subscribe('a')
      await Promise.all([broker.unsubscribe('a'), broker.subscribe('a')])
      await publish('a', 'x')
      expect(offsets(heard)).toEqual([1])
    })

    it('takes unsubscribe of a channel without subscription', async () => {
      const { broker, publish } = current()
      await broker.unsubscribe('never')
      expect((await publish('never', 'x')).position.offset).toBe(1)
    })

    it('delivers what is not kept, too', async () => {
      const { broker, heard, publish } = current()
      await broker.subscribe('a')
      await publish('a', 'x', { historySize: 0 })
      expect(offsets(heard)).toEqual([1])
    })

    it('announces who comes and goes, in order, and only where that is of interest', async () => {
      const { broker, announced, publish } = current()
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
      const { broker, heard, read } = current()
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
      const { publish, read } = current()
      await publish('a', null)
      const [kept] = (await read('a')).publications
      expect(Object.keys(kept ?? {}).sort()).toEqual(['data', 'offset', 'time'])
    })
  })
}

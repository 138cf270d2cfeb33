import type { Position, Publication, ServerMessage } from '@fusewire/protocol'
import { memoryFormat } from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeldPublications } from './held-publications.ts'
import { HubChannel } from './hub-channel.ts'
import type { Connection, Frame, FrameFormat, Multicast, Slot } from './ports/connection.ts'
import { Session, type SessionLink } from './session.ts'
import { Subscription } from './subscription.ts'

/** A format that writes down what it has encoded. */
const watchedFormat = (name: string): FrameFormat & { readonly encoded: Frame[] } => {
  const format = memoryFormat(name)
  const encoded: Frame[] = []
  const watched = (message: ServerMessage): Frame => {
    const frame = format.encode(message)
    encoded.push(frame)
    return frame
  }
  return { name, encoded, encode: watched }
}

const newConnection = (format: FrameFormat): Connection & { readonly frames: Frame[] } => {
  const frames: Frame[] = []
  return { transport: 'tcp', remoteAddress: '', format, frames, send: (frame) => frames.push(frame), close: () => undefined }
}

const newSubscription = (channel: HubChannel, connection: Connection, id: string): Subscription => {
  const link: SessionLink = { connection, send: () => undefined, end: () => undefined, refreshed: () => undefined }
  const session = new Session(id, id, { capabilities: [], channels: [] }, link, connection)
  const subscription = new Subscription(session, channel)
  session.subscriptions.set(channel.name, subscription)
  channel.add(subscription)
  return subscription
}

/** Every publication follows the one before. */
const neverMissed = (): void => {
  throw new Error('nothing was missed')
}

const at = (offset: number): Position => ({ epoch: 'e', offset })

describe('HubChannel', () => {
  it('encodes once for each format that somebody of it is to get, and for no other', () => {
    const channel = new HubChannel('news', neverMissed)
    const [shared, filtered, unused] = [watchedFormat('shared'), watchedFormat('filtered'), watchedFormat('unused')]
    const connections = [shared, shared, shared, filtered].map(newConnection)
    for (const [index, connection] of connections.entries()) {
      const subscription = newSubscription(channel, connection, `${index}`)
      if (connection.format === filtered) subscription.filter = { lang: 'cs' }
      channel.goLive(subscription, connection, at(0))
    }
    expect(channel.deliver({ offset: 1, data: 'x', time: 1 }, 'e')).toBe(3)
    expect([shared, filtered, unused].map(({ encoded }) => encoded.length)).toEqual([1, 0, 0])
    expect(new Set(connections.flatMap(({ frames }) => frames)).size).toBe(1)
  })

  it('sends by the multicast of a format, to the numbers of those who are there', () => {
    const sent: { readonly numbers: readonly number[]; readonly slot: Slot | undefined }[] = []
    const multicast: Multicast = { send: (numbers, _, slot) => sent.push({ numbers: [...numbers], slot }) }
    const format: FrameFormat = { ...watchedFormat('numbered'), multicast }
    const channel = new HubChannel('news', neverMissed)
    const connections = [5, 6, 7, 8].map((number) => ({ ...newConnection(format), number }))
    const subscriptions = connections.map((connection, index) => newSubscription(channel, connection, `${index}`))
    subscriptions.forEach((subscription, index) => {
      channel.goLive(subscription, connections[index] as Connection, at(0))
    })
    const leave = (index: number): void => channel.pause(subscriptions[index] as Subscription)
    // Not everyone is to be sent everything, until the one that filters has left.
    const filtering = { ...newConnection(format), number: 9 }
    const filtered = newSubscription(channel, filtering, 'filtered')
    filtered.filter = { lang: 'cs' }
    channel.goLive(filtered, filtering, at(0))
    channel.pause(filtered)

    expect(channel.deliver({ offset: 1, data: 'x', time: 1 }, 'e', 'a slot')).toBe(4)
    leave(0)
    leave(3)
    expect(channel.deliver({ offset: 2, data: 'x', time: 1 }, 'e')).toBe(2)
    leave(2)
    leave(1)
    expect(channel.deliver({ offset: 3, data: 'x', time: 1 }, 'e')).toBe(0)
    expect(sent.map(({ numbers }) => numbers.toSorted())).toEqual([
      [5, 6, 7, 8],
      [6, 7],
    ])
    expect(sent.map(({ slot }) => slot)).toEqual(['a slot', undefined])
    expect(connections.flatMap(({ frames }) => frames)).toEqual([])
  })

  it('holds a bounded number of publications for a subscription that recovers, and knows when that was not enough', () => {
    const channel = new HubChannel('news', neverMissed)
    const held = channel.recover(newSubscription(channel, newConnection(watchedFormat('other')), 's'))
    for (let offset = 1; offset <= 10_000; offset++) channel.deliver({ offset, data: 0, time: 1 }, 'e')
    expect(held.isOverrun).toBe(false)
    for (let offset = 10_001; offset <= 20_000; offset++) channel.deliver({ offset, data: 0, time: 1 }, 'e')
    expect(held.isOverrun).toBe(true)
    expect(held.size).toBeLessThan(10_010)
  })

  it('gives nobody what it has had already, whether it was read ahead or is heard again', () => {
    const channel = new HubChannel('news', neverMissed)
    const connections = ['a', 'b'].map((name) => newConnection(watchedFormat(name)))
    for (const [offset, connection] of connections.entries())
      channel.goLive(newSubscription(channel, connection, `${offset}`), connection, at(offset))
    const delivered = [1, 1, 2].map((offset) => channel.deliver({ offset, data: 'x', time: 1 }, 'e'))
    expect(delivered).toEqual([1, 0, 2])
    expect(connections.map(({ frames }) => frames.length)).toEqual([2, 1])
  })

  it('takes a gap, and another epoch, for an interruption', () => {
    for (const [offset, epoch, isMissed] of [
      [1, 'e', false],
      [2, 'e', true],
      [1, 'another', true],
    ] as const) {
      let missed = 0
      const channel: HubChannel = new HubChannel('news', () => {
        missed++
        channel.interrupt()
      })
      const connection = newConnection(watchedFormat('a'))
      const subscription = newSubscription(channel, connection, 's')
      channel.goLive(subscription, connection, at(0))
      expect(channel.deliver({ offset, data: 'x', time: 1 }, epoch)).toBe(isMissed ? 0 : 1)
      expect([missed, subscription.state.kind]).toEqual(isMissed ? [1, 'catching'] : [0, 'live'])
    }
  })

  it('holds nothing more for one that recovers no longer', () => {
    const channel = new HubChannel('news', neverMissed)
    const connection = newConnection(watchedFormat('other'))
    const [paused, live] = ['p', 'l'].map((id) => newSubscription(channel, connection, id)) as [Subscription, Subscription]
    const held = [paused, live].map((subscription) => channel.recover(subscription))
    channel.pause(paused)
    channel.goLive(live, connection, at(0))
    channel.deliver({ offset: 1, data: 'x', time: 1 }, 'e')
    expect(held.map(({ size }) => size)).toEqual([0, 0])
  })

  it('hands everything to exactly those who want it, whoever comes, goes and recovers in between', () => {
    /** By number. */
    const numbered: Connection[] = []
    const multicast: Multicast = {
      send: (numbers, frame) => {
        for (const number of numbers) numbered[number]?.send(frame)
      },
    }
    const formats = [watchedFormat('a'), { ...watchedFormat('b'), multicast }] as const
    const who = fc.nat(9)
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('goLive' as const), who, format: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('recover' as const), who }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), who }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), who }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), tag: fc.constantFrom('x', 'y') }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('announce' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const channel = new HubChannel('news', neverMissed)
        const subscriptions = Array.from({ length: 10 }, (_, index) => {
          const subscription = newSubscription(channel, newConnection(watchedFormat('other')), `${index}`)
          subscription.filter = index % 3 ? undefined : { tag: 'x' }
          subscription.wantsPresence = index % 2 === 0
          return subscription
        })
        /** What each is, by the plainest account. */
        const model = subscriptions.map((subscription) => ({
          subscription,
          isThere: true,
          /** Of one that is live, or was when it subscribed again. */
          connection: undefined as ReturnType<typeof newConnection> | undefined,
          held: undefined as HeldPublications | undefined,
          expectedHeld: [] as Publication[],
        }))
        let offset = 0
        for (const operation of operations) {
          if (operation.do === 'deliver' || operation.do === 'announce') {
            const publication = operation.do === 'deliver' && { offset: ++offset, data: 0, time: 1, tags: { tag: operation.tag } }
            const wanting = model.filter(
              ({ connection, held, subscription }) =>
                connection && (publication ? !held && subscription.wants(publication) : subscription.wantsPresence),
            )
            const before = model.map(({ connection }) => connection?.frames.length)
            const delivered = publication
              ? channel.deliver(publication, 'e')
              : channel.announce({ type: 'join', channel: 'news', member: { session: 's' } })
            expect(delivered).toBe(wanting.length)
            for (const [index, one] of model.entries()) {
              expect(one.connection?.frames.length).toBe(wanting.includes(one) ? (before[index] ?? 0) + 1 : before[index])
              if (wanting.includes(one)) {
                const format = formats.find(({ name }) => name === one.connection?.format.name)
                expect(one.connection?.frames.at(-1)).toBe(format?.encoded.at(-1))
              }
              if (publication && one.held) one.expectedHeld.push(publication)
              if (one.held) expect(one.held.after(at((one.expectedHeld[0]?.offset ?? 1) - 1))).toEqual(one.expectedHeld)
            }
            continue
          }
          const one = model[operation.who]
          if (!one?.isThere) continue
          const isRepeated = operation.do === 'recover' && !one.held
          if (!isRepeated) one.connection = undefined
          one.held = undefined
          if (operation.do === 'goLive') {
            const connection = newConnection(formats[operation.format === 0 ? 0 : 1])
            one.connection = { ...connection, number: numbered.push(connection) - 1 }
            channel.goLive(one.subscription, one.connection, at(offset))
          } else if (operation.do === 'recover') {
            one.expectedHeld = []
            // Who subscribes again may ask for something else.
            one.subscription.filter = one.subscription.filter ? undefined : { tag: 'x' }
            one.held = channel.recover(one.subscription)
          } else if (operation.do === 'pause') channel.pause(one.subscription)
          else {
            one.isThere = false
            expect(channel.remove(one.subscription)).toBe(true)
            expect(channel.remove(one.subscription)).toBe(false)
          }
          expect(channel.size).toBe(model.filter(({ isThere }) => isThere).length)
        }
      }),
      { numRuns: 150 },
    )
  })
})

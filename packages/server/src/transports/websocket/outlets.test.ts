import { Writable } from 'node:stream'
import type { Frame, Slot } from '@fusewire/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlushScheduler } from '../flush-scheduler.ts'
import { type OutletOwner, Outlets } from './outlets.ts'

/** A stream that keeps what it is given, and whose owner keeps what comes while it is full, and then writes it. */
class Client implements OutletOwner {
  readonly writes: Uint8Array[] = []
  readonly slots: (Slot | undefined)[] = []
  readonly stream = new Writable()
  readonly number: number
  readonly #outlets: Outlets
  #kept: Frame[] = []
  hasRoom = true
  timesFull = 0

  constructor(outlets: Outlets, isShutForGood = false) {
    this.#outlets = outlets
    this.stream.write = (bytes: Uint8Array): boolean => {
      this.writes.push(bytes)
      return this.hasRoom
    }
    this.number = outlets.open(this, isShutForGood ? undefined : this.stream)
  }

  send(frame: Frame): void {
    if (!this.#outlets.push(this.number, frame)) this.enqueue(frame, undefined)
  }

  enqueue(frame: Frame, slot: Slot | undefined): void {
    this.#kept.push(frame)
    this.slots.push(slot)
  }

  filled(): void {
    this.timesFull++
  }

  /** Where nothing was kept, nothing is written. */
  drain(): void {
    this.hasRoom = true
    this.writes.push(...this.#kept.splice(0))
    this.#outlets.reopen(this.number)
  }

  get text(): string {
    return Buffer.concat(this.writes).toString()
  }

  get kept(): string {
    return Buffer.concat(this.#kept).toString()
  }
}

const setUp = (count = 1) => {
  const deferred: (() => void)[] = []
  const traffic = { bytesOut: 0 }
  const outlets = new Outlets(new FlushScheduler((run) => deferred.push(run)), traffic)
  const clients = Array.from({ length: count }, () => new Client(outlets))
  return {
    outlets,
    traffic,
    clients,
    client: clients[0] ?? new Client(outlets),
    numbers: clients.map(({ number }) => number),
    endTurn: () => {
      for (const run of deferred.splice(0)) run()
    },
  }
}

const frame = (text: string): Uint8Array => Buffer.from(text)

describe('Outlets', () => {
  it('write what each was sent in one turn at once, when the turn ends, in its order', () => {
    const { outlets, traffic, clients, client, numbers, endTurn } = setUp(3)
    outlets.send(numbers, frame('a'))
    client.send(frame('b'))
    outlets.send(numbers.slice(0, 2), frame('c'))
    expect(clients.flatMap(({ writes }) => writes)).toEqual([])
    endTurn()
    endTurn()
    expect(clients.map(({ text }) => text)).toEqual(['abc', 'ac', 'a'])
    expect(clients.map(({ writes }) => writes.length)).toEqual([1, 1, 1])
    expect(traffic.bytesOut).toBe(6)
  })

  it('share joined bytes between those that were sent the same', () => {
    const { outlets, clients, numbers, endTurn } = setUp(3)
    for (const text of ['a', 'b']) outlets.send(numbers, frame(text))
    endTurn()
    expect(new Set(clients.flatMap(({ writes }) => writes)).size).toBe(1)
  })

  it('leave to the owner what comes behind a full stream, with its slot, until they are opened again', () => {
    const { outlets, client, numbers, endTurn } = setUp()
    client.hasRoom = false
    outlets.send(numbers, frame('a'))
    endTurn()
    outlets.send(numbers, frame('b'), 'slot')
    endTurn()
    expect([client.text, client.kept, client.timesFull]).toEqual(['a', 'b', 1])
    expect(client.slots).toEqual(['slot'])
    client.drain()
    outlets.send(numbers, frame('c'))
    endTurn()
    expect(client.text).toBe('abc')
  })

  it('leave everything to the owner where there is no stream', () => {
    const { outlets, endTurn } = setUp()
    const client = new Client(outlets, true)
    outlets.send([client.number], frame('a'))
    outlets.reopen(client.number)
    client.send(frame('b'))
    endTurn()
    expect([client.text, client.kept]).toEqual(['', 'ab'])
  })

  it('write what is pending when they are shut, and only then', () => {
    const { outlets, client, endTurn } = setUp()
    client.send(frame('a'))
    outlets.shut(client.number)
    client.send(frame('b'))
    outlets.shut(client.number)
    endTurn()
    expect([client.text, client.kept]).toEqual(['a', 'b'])
  })

  it('drop what is pending for a stream that takes no more, and are not opened again', () => {
    const { outlets, traffic, client, endTurn } = setUp()
    client.send(frame('a'))
    outlets.forget(client.number)
    outlets.reopen(client.number)
    client.send(frame('b'))
    endTurn()
    expect([client.text, client.kept, traffic.bytesOut]).toEqual(['', 'b', 0])
  })

  it('give a number that was released to the next one, which hears nothing of what was sent before', () => {
    const { outlets, client, endTurn } = setUp()
    client.send(frame('a'))
    outlets.release(client.number)
    const next = new Client(outlets)
    expect(next.number).toBe(client.number)
    next.send(frame('b'))
    endTurn()
    expect([client.text, next.text]).toEqual(['', 'b'])
    expect(next.writes).toHaveLength(1)
  })

  it('never give anybody the number of nobody', () => {
    const { outlets, endTurn } = setUp()
    outlets.release(Outlets.none)
    const next = new Client(outlets)
    expect(next.number).not.toBe(Outlets.none)
    outlets.send([Outlets.none], frame('a'))
    expect(outlets.push(Outlets.none, frame('a'))).toBe(false)
    endTurn()
    expect(next.text).toBe('')
  })

  it('keep the order of everything, with one write a turn, whatever streams do', () => {
    const to = fc.nat(2)
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('all' as const), shared: fc.nat(5), without: to }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('one' as const), shared: fc.nat(5), to }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
      fc.record({ kind: fc.constant('full' as const), to }),
      fc.record({ kind: fc.constant('drain' as const), to }),
      fc.record({ kind: fc.constant('leave' as const), to }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { outlets, clients, endTurn } = setUp(3)
        const all = [...clients]
        const sent = new Map(all.map((client) => [client, '']))
        const shared = ['a', 'bc', 'def', 'g', 'hi', 'j'].map(frame)
        const note = (client: Client, bytes: Uint8Array) => sent.set(client, `${sent.get(client)}${Buffer.from(bytes)}`)
        for (const action of steps) {
          const client = 'to' in action ? (clients[action.to] as Client) : undefined
          if (action.kind === 'all') {
            const bytes = shared[action.shared] as Uint8Array
            const others = clients.filter((_, index) => index !== action.without)
            outlets.send(
              others.map(({ number }) => number),
              bytes,
            )
            for (const other of others) note(other, bytes)
          } else if (action.kind === 'turn') {
            const before = clients.map(({ writes }) => writes.length)
            endTurn()
            for (const [index, { writes }] of clients.entries()) expect(writes.length - (before[index] ?? 0)).toBeLessThan(2)
          } else if (!client) continue
          else if (action.kind === 'one') {
            client.send(shared[action.shared] as Uint8Array)
            note(client, shared[action.shared] as Uint8Array)
          } else if (action.kind === 'full') client.hasRoom = false
          else if (action.kind === 'drain') client.drain()
          else {
            outlets.shut(client.number)
            client.drain()
            outlets.release(client.number)
            const next = new Client(outlets)
            clients[action.to] = next
            all.push(next)
            sent.set(next, '')
          }
        }
        endTurn()
        for (const client of clients) client.drain()
        for (const client of all) expect(client.text).toBe(sent.get(client))
      }),
    )
  })
})

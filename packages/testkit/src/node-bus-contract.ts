import type { Awaitable, NodeBus } from '@fusewire/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'

export interface NodeBusContractOptions {
  /** Nodes are connected to different servers, which tell one another in their own time who listens where. */
  readonly spreads?: boolean
}

/** Asks a node whether it hears the one that has this place among those that were opened. */
const HELLO = 'hello '

/** What every {@link NodeBus} must do, as a suite of tests. `makeBus` gives one more node's end of the same bus. */
export const nodeBusContract = (
  name: string,
  makeBus: () => Awaitable<NodeBus>,
  { spreads = false }: NodeBusContractOptions = {},
): void => {
  describe(`${name} is a NodeBus`, () => {
    interface Node {
      readonly bus: NodeBus
      readonly heard: Uint8Array[]
    }
    let a: Node
    let b: Node
    let c: Node
    const opened: NodeBus[] = []
    let round = 0

    const open = async (node: string): Promise<Node> => {
      const bus = await makeBus()
      const heard: Uint8Array[] = []
      const hellos = new Set<string>()
      const message = (payload: Uint8Array): void => {
        const text = String.fromCharCode(...payload.subarray(0, 20))
        if (text.startsWith(HELLO)) hellos.add(text)
        else heard.push(payload)
      }
      await bus.start(node, { message })
      for (const [place, other] of spreads ? opened.entries() : [])
        await eventually(async () => {
          await other.send(bytes(`${HELLO}${place}`), node)
          return hellos.has(`${HELLO}${place}`)
        })
      opened.push(bus)
      return { bus, heard }
    }
    const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
    const texts = ({ heard }: Node): string[] => heard.map((payload) => String.fromCharCode(...payload))
    /** Names of nodes are not used twice. */
    const named = (node: string): string => `${node}-${round}`

    beforeEach(async () => {
      round++
      a = await open(named('a'))
      b = await open(named('b'))
      c = await open(named('c'))
    })

    afterEach(async () => {
      for (const bus of opened.splice(0)) await bus.close()
    })

    it('carries a message to one node, and to no other', async () => {
      await a.bus.send(bytes('to b'), named('b'))
      await a.bus.send(bytes('to c'), named('c'))
      await eventually(() => expect([texts(b), texts(c)]).toEqual([['to b'], ['to c']]))
      expect(a.heard).toEqual([])
    })

    it('carries a message to all others, and not back', async () => {
      await a.bus.send(bytes('one'))
      await b.bus.send(bytes('two'))
      await eventually(() => expect([texts(a), texts(b), texts(c).sort()]).toEqual([['two'], ['one'], ['one', 'two']]))
    })

    it('carries a message to itself when it is told so', async () => {
      await a.bus.send(bytes('self'), named('a'))
      await eventually(() => expect(texts(a)).toEqual(['self']))
    })

    it('keeps the order from one node to another, of messages to it and to all, though nobody waits', async () => {
      const sent = Array.from({ length: 300 }, (_, n) => `m${n}`)
      await Promise.all(sent.map((text, n) => a.bus.send(bytes(text), n % 3 === 0 ? undefined : named('b'))))
      await eventually(() => expect(texts(b)).toEqual(sent))
      await eventually(() => expect(texts(c)).toEqual(sent.filter((_, n) => n % 3 === 0)))
    })

    it('carries any bytes, none, and a mebibyte', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value)
      const big = new Uint8Array(1_048_576).map((_, index) => (index * 31) % 251)
      for (const payload of [all, new Uint8Array(0), big]) await a.bus.send(payload, named('b'))
      await eventually(() => expect(b.heard).toHaveLength(3))
      // The comparison of a mebibyte element by element would take seconds.
      const isSame = (one: Uint8Array | undefined, other: Uint8Array): boolean =>
        one?.length === other.length && one.every((value, index) => value === other[index])
      expect([all, new Uint8Array(0), big].map((payload, index) => isSame(b.heard[index], payload))).toEqual([true, true, true])
    })

    it('takes a message to a node that there is none of', async () => {
      await a.bus.send(bytes('lost'), named('nobody'))
      await a.bus.send(bytes('kept'), named('b'))
      await eventually(() => expect(texts(b)).toEqual(['kept']))
    })

    it('hands on nothing after it is closed, and the others go on', async () => {
      await b.bus.close()
      await a.bus.send(bytes('one'), named('b'))
      await a.bus.send(bytes('two'))
      await eventually(() => expect(texts(c)).toEqual(['two']))
      expect(b.heard).toEqual([])
      await b.bus.close()
    })

    it('takes names like those of properties of objects, and odd ones', async () => {
      for (const node of ['__proto__', 'constructor', 'näme *.> "x"']) {
        const odd = await open(node)
        await a.bus.send(bytes('odd'), node)
        await eventually(() => expect(texts(odd)).toEqual(['odd']))
      }
      await a.bus.send(bytes('plain'), named('b'))
      await eventually(() => expect(texts(b)).toEqual(['plain']))
    })
  })
}

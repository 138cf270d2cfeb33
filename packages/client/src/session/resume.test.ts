import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { TRANSPORTS } from '../routes.ts'
import { harness, pass, settled } from '../testing/harness.ts'

/** Each run has timers of its own: a failing one leaves some behind. */
const freshTimers = (): void => {
  vi.useRealTimers()
  vi.useFakeTimers()
}
afterEach(() => void vi.useRealTimers())

const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), by: fc.constantFrom('client', 'server') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), by: fc.constantFrom('client', 'server') }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('transport' as const), name: fc.constantFrom(...TRANSPORTS, 'auto' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('outage' as const), ms: fc.nat(5000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(3000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(8) }) },
)

test('[promise] over random cuts, transports, outages and rates: in order, no gap, no duplicate, every publish carried out once', async () => {
  await fc.assert(
    fc
      .asyncProperty(fc.array(move, { maxLength: 60 }), async (moves) => {
        const { client, server, network, live, errors } = harness({ maxAttempts: Number.POSITIVE_INFINITY })
        const channel = client.channel<string>('c')
        const heard: string[] = []
        channel.on('publication', ({ data }) => heard.push(data))
        const published: Promise<unknown>[] = []
        void channel.subscribe()
        await pass()
        let count = 0
        for (const step of moves) {
          if (step.kind === 'publish' && step.by === 'server') server.publish('c', `server ${++count}`)
          else if (step.kind === 'publish') published.push(settled(channel.publish(`client ${++count}`)))
          else if (step.kind === 'cut' && step.by === 'server') server.cut()
          else if (step.kind === 'cut') client.interrupt()
          else if (step.kind === 'transport') client.useTransport(step.name)
          else if (step.kind === 'forget') server.forget()
          else if (step.kind === 'pass') await pass(step.ms)
          else if (step.kind === 'turns') for (let i = 0; i < step.count; i++) await Promise.resolve()
          else if (step.kind === 'outage') {
            Object.assign(network, { webSocket: 'refuse', stream: 'refuse', sse: 'refuse', poll: 'refuse' })
            server.cut()
            await pass(step.ms)
            for (const name of ['webSocket', 'stream', 'sse', 'poll'] as const) delete network[name]
          }
          expect(live.size).toBeLessThanOrEqual(1)
        }
        await pass(120_000)
        const { log } = server.channel('c')
        expect(heard).toEqual(log.map(({ data }) => data))
        expect(new Set(heard).size).toBe(heard.length)
        for (const outcome of await Promise.all(published)) expect(outcome).toHaveProperty('value')
        expect(log).toHaveLength(count)
        const mine = heard.filter((data) => data.startsWith('client'))
        expect(mine).toEqual(mine.toSorted((a, b) => Number(a.slice(7)) - Number(b.slice(7))))
        expect(live.size).toBe(1)
        expect(errors).toEqual([])
        void client.close()
        await pass(5000)
        expect(live.size).toBe(0)
        expect(vi.getTimerCount()).toBe(0)
      })
      .beforeEach(freshTimers),
    { numRuns: 40, endOnFailure: true },
  )
}, 60_000)

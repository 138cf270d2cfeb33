import type { FusewireClient } from '@fusewire/client'
import { eventually, FaultProxy, Random } from '@fusewire/testkit'
import { describe } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { sdkClient } from '../sdk-client.ts'
import { DEVELOPMENT } from '../server-variants.ts'

/** `FUSEWIRE_SEED` repeats a run. */
const SEED = Number(process.env.FUSEWIRE_SEED ?? Date.now() % 1_000_000)
const ROUNDS = 25
const PATIENCE = { connectTimeoutMs: 1_000, requestTimeoutMs: 300 }

const it = harmTest({ ...DEVELOPMENT, logLevel: 'warn', pingIntervalMs: 500, pongTimeoutMs: 700, maxBadMessages: 3 })

/**
 * Without TLS nothing but TCP's own checksum stands against a bit that has changed on the way, and behind a proxy not even that: what
 * arrives may be anything. Nobody can promise what such a client is told; but it does not hang, and it is alone with its fate.
 */
describe(`a line in the clear that changes bits (seed ${SEED})`, { concurrent: true }, () => {
  it.for(['websocket', 'stream', 'sse', 'poll'] as const)(
    'leaves the server and the others unhurt, and a client by %s connected or told why not',
    { timeout: 60_000 },
    async (transport, { server, api, expect, onTestFinished }) => {
      const random = new Random(SEED)
      const line = await FaultProxy.start(server.httpPort, random.fork())
      onTestFinished(() => line.close())
      const channel = `cleartext:${transport}`
      const arrive = (): FusewireClient => {
        const arrived = sdkClient(`http://localhost:${line.port}`, { transports: [transport], ...PATIENCE })
        onTestFinished(() => arrived.close())
        arrived.on('error', () => {})
        arrived
          .channel(channel)
          .subscribe()
          .catch(() => undefined)
        return arrived
      }
      let client = arrive()
      for (let round = 0; round < ROUNDS; round++) {
        // Bytes that make no sense may be a reason to stop; then it says so.
        if (client.connection.status === 'closed') {
          expect(client.connection.error).toBeDefined()
          client = arrive()
        }
        line.inject({ kind: 'corrupt', direction: random.pick(['up', 'down']), afterBytes: random.integer(0, 300) })
        await api.publish(channel, { round })
        await client
          .channel(channel)
          .history()
          .catch(() => undefined)
      }
      expect(line.happened.corrupt).toBeGreaterThan(ROUNDS / 4)
      line.inject({ kind: 'reset' })
      const isWell = async (): Promise<boolean> => client.connection.status === 'closed' || (await client.ping()) >= 0
      await eventually(isWell, { timeoutMs: 15_000 })
    },
  )
})

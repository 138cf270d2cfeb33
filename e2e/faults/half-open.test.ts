import { eventually, FaultProxy } from '@fusewire/testkit'
import { describe } from 'vitest'
import { codecOf, ROUTES, sdkClient } from '../sdk-client.ts'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'

const it = serverTest({ ...DEVELOPMENT, logLevel: 'warn', pingIntervalMs: 300, pongTimeoutMs: 500 })
const PATIENCE = { timeoutMs: 20_000 }

describe('a line that has died without a word', { concurrent: true }, () => {
  it.for(ROUTES.flatMap((route) => (['up', 'down', 'both'] as const).map((direction) => ({ ...route, direction }))))(
    'in direction $direction is found out by $transport over $scheme, which goes on over another [H2] [H3]',
    async ({ transport, scheme, encoding, direction }, { server, api, expect, onTestFinished }) => {
      const line = await FaultProxy.start(scheme === 'https' ? server.httpsPort : server.httpPort)
      onTestFinished(() => line.close())
      const options = { transports: [transport], connectTimeoutMs: 1_500, ...codecOf(encoding) }
      const client = sdkClient(`${scheme}://localhost:${line.port}`, options)
      onTestFinished(() => client.close())
      const name = `dead:${transport}:${scheme}:${direction}`
      const channel = client.channel(name)
      const offsets: number[] = []
      channel.on('publication', ({ offset }) => offsets.push(offset))
      await channel.subscribe()
      line.inject({ kind: 'half-open', direction })
      await api.publish(name, 'unheard')
      await channel.publish('said into the void')
      await eventually(() => expect(offsets).toEqual([1, 2]), PATIENCE)
    },
  )
})

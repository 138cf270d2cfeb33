import { setTimeout as delay } from 'node:timers/promises'
import { ClientError } from '@fusewire/client'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { codecOf, ROUTES, sdkClient } from '../sdk-client.ts'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'

const PUBLICATIONS = 1000
const CHANNELS = 100

const withDefaults = serverTest(DEVELOPMENT)
const withLimits = serverTest({ ...DEVELOPMENT, messagesPerSecond: 10, messagesBurst: 50 })

describe('with the limits as they are', () => {
  withDefaults.for(ROUTES)(
    'a program may begin with a burst, over $transport ($scheme)',
    async ({ transport, scheme, encoding }, { server, api }) => {
      const client = sdkClient(server[scheme], { transports: [transport], ...codecOf(encoding) })
      onTestFinished(() => client.close())
      const heard: unknown[] = []
      const channels = Array.from({ length: CHANNELS }, (_, n) => client.channel(`burst-${transport}-${scheme}:${n}`))
      await Promise.all(
        channels.map((channel) => {
          channel.on('publication', ({ data }) => heard.push(data))
          return channel.subscribe()
        }),
      )
      const sent = Array.from({ length: PUBLICATIONS }, (_, n) => channels[n % CHANNELS]?.publish(n))
      expect(await Promise.allSettled(sent)).toEqual(sent.map(() => expect.objectContaining({ status: 'fulfilled' })))
      await eventually(() => expect(heard).toHaveLength(PUBLICATIONS))
      for (const limit of ['messagesPerSecond', 'bytesPerSecond', 'maxPendingRequests'])
        expect(await api.metric('fusewire_refusals_total', { limit })).toBe(0)
    },
  )
})

describe('beyond a limit', () => {
  withLimits('the program is told when to try again, and can', async ({ server }) => {
    const client = sdkClient(server.http)
    onTestFinished(() => client.close())
    await client.connect()
    const channel = client.channel('news')
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => channel.publish(n)))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(0)
    const waitAsTold = async (error: unknown): Promise<void> => {
      if (!(error instanceof ClientError)) throw error
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) })
      expect(error.retryAfterMs).toBeLessThanOrEqual(100)
      await delay(error.retryAfterMs)
    }
    await waitAsTold(refused[0])
    // Those of the burst that came behind the first refusal may have used what it was promised; nothing comes behind the next one.
    await channel.publish('again').catch(async (error: unknown) => {
      await waitAsTold(error)
      await channel.publish('again')
    })
    expect(client.connection.status).toBe('connected')
  })
})

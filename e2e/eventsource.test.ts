import { eventually, FaultProxy } from '@fusewire/testkit'
import { EventSource } from 'eventsource'
import { describe, type TestContext } from 'vitest'
import { serverTest } from './server-test.ts'
import { PRODUCTION, signToken } from './server-variants.ts'

const it = serverTest({ ...PRODUCTION, rules: [{ pattern: 'short:*', historySize: 3 }, ...(PRODUCTION.rules ?? [])] })

/** It comes back after 1 to 3 seconds. */
const PATIENCE = { timeoutMs: 20_000 }

/** Tests that wait for it to come back do so side by side; each closes what it has opened. */
const open = (url: string, onTestFinished: TestContext['onTestFinished']) => {
  const source = new EventSource(url)
  const publications: { channel: string; offset: number; data: unknown }[] = []
  const subscribed: { channel: string; recovered?: boolean }[] = []
  const named: string[] = []
  source.onmessage = ({ data }) => publications.push(JSON.parse(data))
  source.addEventListener('subscribed', ({ data }) => subscribed.push(JSON.parse(data)))
  for (const type of ['connected', 'join', 'leave', 'disconnect', 'unsubscribed'])
    source.addEventListener(type, () => named.push(type))
  onTestFinished(() => source.close())
  return { source, publications, subscribed, named }
}

describe('an EventSource', { concurrent: true }, () => {
  it.for(['https', 'http'] as const)(
    'over %s comes back after a cut, by itself and exactly where it was [T14]',
    async (scheme, { server, api, expect, onTestFinished }) => {
      const line = await FaultProxy.start(scheme === 'https' ? server.httpsPort : server.httpPort)
      onTestFinished(() => line.close())
      const channels = [`chat:a-${scheme}`, `chat:b-${scheme}`]
      const query = new URLSearchParams([...channels.map((channel) => ['channel', channel]), ['token', await signToken('alice')]])
      const { publications, subscribed } = open(`${scheme}://localhost:${line.port}/fusewire/v1/sse?${query}`, onTestFinished)
      await eventually(() => expect(subscribed).toHaveLength(2))
      const publish = async (from: number, to: number) => {
        for (let n = from; n < to; n++) for (const channel of channels) await api.publish(channel, n)
      }
      await publish(0, 3)
      await eventually(() => expect(publications).toHaveLength(6))
      line.inject({ kind: 'reset' })
      await publish(3, 6)
      await eventually(() => expect(publications).toHaveLength(12), PATIENCE)
      await publish(6, 8)
      await eventually(() => expect(publications).toHaveLength(16))
      for (const channel of channels) {
        const own = publications.filter((publication) => publication.channel === channel)
        expect(own.map(({ offset, data }) => [offset, data])).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n + 1, n]))
      }
      expect(subscribed.map(({ recovered }) => recovered)).toEqual([undefined, undefined, true, true])
    },
  )

  it('that was away for longer than the history goes back is told so [S5]', async ({ server, api, expect, onTestFinished }) => {
    const line = await FaultProxy.start(server.httpPort)
    onTestFinished(() => line.close())
    const token = await signToken('alice')
    const { publications, subscribed } = open(
      `http://localhost:${line.port}/fusewire/v1/sse?channel=short:x&token=${token}`,
      onTestFinished,
    )
    await eventually(() => expect(subscribed).toHaveLength(1))
    await api.publish('short:x', 1)
    await eventually(() => expect(publications).toHaveLength(1))
    line.sever()
    for (let n = 2; n <= 9; n++) await api.publish('short:x', n)
    line.mend()
    await eventually(() => expect(subscribed).toHaveLength(2), PATIENCE)
    expect(subscribed[1]).toMatchObject({ recovered: false })
    await api.publish('short:x', 10)
    await eventually(() => expect(publications.at(-1)).toMatchObject({ data: 10 }))
    expect(publications).toHaveLength(2)
  })

  it('whose user the application disconnects stays away [T15]', async ({ server, api, expect, onTestFinished }) => {
    const token = await signToken('mallory')
    const { source, subscribed, named } = open(
      `${server.https}/fusewire/v1/sse?channel=chat:lobby&token=${token}`,
      onTestFinished,
    )
    await eventually(() => expect(subscribed).toHaveLength(1))
    expect(await api.post('disconnect', { user: 'mallory' })).toEqual({ sessions: 1 })
    await eventually(() => expect(source.readyState).toBe(source.CLOSED), PATIENCE)
    expect(named).toEqual(['connected', 'disconnect'])
  })

  it('whose token is refused gives up at once [T15]', async ({ server, expect, onTestFinished }) => {
    const { source, named } = open(`${server.https}/fusewire/v1/sse?channel=chat:lobby&token=forged`, onTestFinished)
    await eventually(() => expect(source.readyState).toBe(source.CLOSED))
    expect(named).toEqual([])
  })

  it('is sent who joins and leaves as named events', async ({ server, expect, onTestFinished }) => {
    const [alice, bob] = await Promise.all([signToken('alice'), signToken('bob')])
    const listener = open(`${server.https}/fusewire/v1/sse?channel=chat:room&presence=true&token=${alice}`, onTestFinished)
    await eventually(() => expect(listener.subscribed).toHaveLength(1))
    const visitor = open(`${server.https}/fusewire/v1/sse?channel=chat:room&token=${bob}`, onTestFinished)
    await eventually(() => expect(listener.named).toContain('join'))
    expect(visitor.named).not.toContain('join')
  })
})

import type { FusewireInput } from '@fusewire/server'
import { describeWith, eventually } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it, onTestFailed, onTestFinished } from 'vitest'
import { Api } from '../api.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { sdkClient } from '../sdk-client.ts'
import { API_KEY, PRODUCTION, signToken } from '../server-variants.ts'
import { all, join, until, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'
import { webSocketWay } from '../wire/websocket-way.ts'
import { BROKER_PASSWORD, type StartedBroker, TESTED_BROKERS } from './tested-brokers.ts'

const way = webSocketWay('HTTP/1.1', 'json')

for (const { name, title, program, start, calls } of TESTED_BROKERS)
  describeWith([program], `two servers over one ${title}`, () => {
    let broker: StartedBroker
    let options: FusewireInput
    let one: FusewireProcess
    let other: FusewireProcess
    let oneApi: Api
    let otherApi: Api

    beforeAll(async () => {
      broker = await start()
      options = {
        ...PRODUCTION,
        broker: [broker.url],
        // A machine that is busy with other tests is no broker that is away.
        brokerTimeoutMs: 3000,
        rules: [
          { pattern: 'chat:*', presence: true, publish: 'user', historySize: 100, history: 'user' },
          { pattern: 'device:*', state: true, publish: 'user' },
        ],
      }
      ;[one, other] = await Promise.all([FusewireProcess.start(options), FusewireProcess.start(options)])
      ;[oneApi, otherApi] = [new Api(one.http, API_KEY), new Api(other.http, API_KEY)]
    })
    afterAll(async () => {
      const codes = [await one?.stop(), await other?.stop()]
      await broker?.server.stop()
      expect(codes).toEqual([0, 0])
    })

    const showLogs = (): void => onTestFailed(() => console.error(`${one.log}\n${other.log}`))

    const open = async (server: FusewireProcess): Promise<WireClient> => {
      const client = await way.open(server)
      onTestFinished(() => client.destroy())
      return client
    }

    it('carry what a client publishes on one to a client of the other, in order', async () => {
      showLogs()
      const [ann, bob] = [
        sdkClient(one.https, { token: await signToken('ann') }),
        sdkClient(other.https, { token: await signToken('bob') }),
      ]
      onTestFinished(() => Promise.all([ann.close(), bob.close()]).then(() => undefined))
      const heard: unknown[] = []
      const subscription = ann.channel('chat:two')
      subscription.on('publication', ({ data }) => void heard.push(data))
      await subscription.subscribe()
      const numbers = Array.from({ length: 50 }, (_, n) => n)
      for (const n of numbers) await bob.channel('chat:two').publish(n)
      await eventually(() => expect(heard).toEqual(numbers))
      const { publications } = await oneApi.history('chat:two')
      expect(publications.map(({ data }) => data)).toEqual(numbers)
      expect(await otherApi.history('chat:two')).toEqual(await oneApi.history('chat:two'))
    })

    it('give a client that reconnects to the other what it has missed', async () => {
      showLogs()
      const { position } = await join(await open(one), 'chat:missed', { token: await signToken('ann') })
      for (let n = 1; n <= 5; n++) await oneApi.publish('chat:missed', n)
      const again = await join(await open(other), 'chat:missed', { token: await signToken('ann'), since: position })
      expect(again).toMatchObject({ recovered: true, position: { ...position, offset: 5 } })
      expect(again.publications?.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5])
    })

    it('keep one document for both', async () => {
      showLogs()
      await oneApi.publish('device:1', { fan: true })
      await otherApi.publish('device:1', { load: 0.5 }, { patch: true })
      const { document } = await join(await open(one), 'device:1', { token: await signToken('ann') })
      expect(document).toEqual({ fan: true, load: 0.5 })
    })

    it('show who is in a channel on either, and tell who comes and goes', async () => {
      showLogs()
      const watcher = await open(one)
      watcher.send({
        type: 'connect',
        token: await signToken('ann'),
        subscriptions: [{ channel: 'chat:who', presence: true }],
      })
      await until(watcher, 'subscribed')
      const guest = await open(other)
      await join(guest, 'chat:who', { token: await signToken('bob') })
      await eventually(() => expect(all(watcher, 'join').map(({ member }) => member.user)).toContain('bob'))
      for (const api of [oneApi, otherApi]) {
        const { members } = await api.presence('chat:who')
        expect(members.map(({ user }) => user).sort()).toEqual(['ann', 'bob'])
      }
      guest.send({ type: 'unsubscribe', id: 2, channel: 'chat:who' })
      await eventually(() => expect(all(watcher, 'leave').map(({ member }) => member.user)).toEqual(['bob']))
      expect((await otherApi.presence('chat:who')).members.map(({ user }) => user)).toEqual(['ann'])
    })

    it.for(WAYS)('resume a session of one on the other over $name', async (route) => {
      showLogs()
      const channel = `chat:resume-${route.name.replaceAll(/\W+/gu, '-')}`
      const first = await route.open(one)
      onTestFinished(() => first.destroy())
      await join(first, channel, { token: await signToken('ann') })
      const { session, resume } = await until(first, 'connected')
      const { position: since } = await oneApi.publish(channel, 1)
      await until(first, 'publication', { channel })
      await eventually(async () => expect(await broker.keptOf(session)).toContain(channel))
      first.destroy()
      for (let n = 2; n <= 4; n++) await oneApi.publish(channel, n)
      const second = await route.open(other)
      onTestFinished(() => second.destroy())
      second.send({ type: 'connect', resume, subscriptions: [{ channel, since }] })
      expect(await until(second, 'connected')).toMatchObject({ session, resumed: true })
      const missed = (): unknown[] => [
        ...all(second, 'subscribed').flatMap(({ publications = [] }) => publications.map(({ data }) => data)),
        ...all(second, 'publication').map(({ data }) => data),
      ]
      await oneApi.publish(channel, 5)
      await eventually(() => expect(missed()).toEqual([2, 3, 4, 5]))
      expect((await oneApi.presence(channel)).members.map((member) => member.session)).toEqual([session])
    })

    it('take a token back on both', async () => {
      showLogs()
      const token = await signToken('eve', { claims: { jti: 'token of eve' } })
      const client = await open(other)
      await join(client, 'chat:revoked', { token })
      await oneApi.post('revoke', { token: 'token of eve' })
      expect(await until(client, 'disconnect')).toMatchObject({ code: 'token_revoked' })
      for (const server of [one, other]) {
        const again = await open(server)
        again.send({ type: 'connect', id: 1, token })
        expect(await until(again, 'error')).toMatchObject({ code: 'token_revoked' })
      }
    })

    it('disconnect a user wherever it is', async () => {
      showLogs()
      const client = await open(other)
      await join(client, 'chat:bye', { token: await signToken('mallory') })
      await oneApi.post('disconnect', { user: 'mallory' })
      expect(await until(client, 'disconnect')).toMatchObject({ code: 'disconnected' })
    })

    it('end the sessions of one that is killed, and tell the clients of the other', { timeout: 60_000 }, async () => {
      const short = { ...options, brokerPrefix: 'killed', sessionTtlMs: 1000 }
      const [living, killed] = await Promise.all([FusewireProcess.start(short), FusewireProcess.start(short)])
      onTestFinished(() => Promise.all([living.stop(), killed.stop()]).then(() => undefined))
      onTestFailed(() => console.error(`${living.log}\n${killed.log}`))
      const watcher = await open(living)
      watcher.send({ type: 'connect', token: await signToken('ann'), subscriptions: [{ channel: 'chat:dead', presence: true }] })
      await until(watcher, 'subscribed')
      const guest = await open(killed)
      await join(guest, 'chat:dead', { token: await signToken('bob') })
      const { session } = await until(guest, 'connected')
      await eventually(() => expect(all(watcher, 'join').map(({ member }) => member.user)).toContain('bob'))
      await eventually(async () => expect(await broker.keptOf(session, 'killed')).toContain('chat:dead'))
      process.kill(killed.pid, 'SIGKILL')
      await eventually(() => expect(all(watcher, 'leave').map(({ member }) => member.user)).toEqual(['bob']), {
        timeoutMs: 40_000,
      })
      expect((await new Api(living.http, API_KEY).presence('chat:dead')).members.map(({ user }) => user)).toEqual(['ann'])
    })

    it(`say in their metrics how ${title} answers`, async () => {
      expect(await oneApi.metric('fusewire_broker_up', { broker: name })).toBe(1)
      expect(await oneApi.metric('fusewire_broker_calls_total', { call: calls.publish, outcome: 'answered' })).toBeGreaterThan(0)
      expect(await oneApi.metric('fusewire_broker_call_duration_seconds_count', { call: calls.presence })).toBeGreaterThan(0)
    })

    it(`keep their clients while ${title} is away, refuse what is published, and go on when it is back`, async () => {
      showLogs()
      const client = await open(one)
      await join(client, 'chat:away', { token: await signToken('ann') })
      const ready = async (): Promise<number> => (await fetch(`${one.http}/readyz`)).status
      expect(await ready()).toBe(200)
      broker.server.suspend()
      onTestFinished(() => broker.server.wake())
      await expect(oneApi.publish('chat:away', 1)).rejects.toThrow('broker_unavailable')
      await eventually(async () => expect(await ready()).toBe(503))
      broker.server.wake()
      await eventually(() => oneApi.publish('chat:away', 2), { timeoutMs: 20_000 })
      // Live, or with what was missed, as the server comes to it.
      await eventually(() => {
        const live = all(client, 'publication')
        const missed = all(client, 'subscribed').flatMap(({ publications = [] }) => publications)
        expect([...live, ...missed].map(({ data }) => data)).toContain(2)
      })
      await eventually(async () => expect(await ready()).toBe(200), { timeoutMs: 20_000 })
      expect(client.end).toBeUndefined()
      const events = one.log.split('\n').filter((line) => /"broker_(?:away|back)"/u.test(line))
      expect(events.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['broker_away', 'broker_back'])
      for (const { log } of [one, other])
        for (const secret of [BROKER_PASSWORD, encodeURIComponent(BROKER_PASSWORD)]) expect(log).not.toContain(secret)
    })
  })

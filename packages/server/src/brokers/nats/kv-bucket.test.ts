import { describeWith, eventually, FaultProxy, type NatsServer, Random, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { KvBucket } from './kv-bucket.ts'
import { parseNatsAddresses } from './nats-address.ts'
import { NoRespondersError } from './nats-error.ts'
import { NatsLink } from './nats-link.ts'
import { askJetStream } from './stream-api.ts'

const PATIENCE = { timeoutMs: 20_000, intervalMs: 10 }

describeWith(['nats-server'], 'KvBucket', () => {
  let server: NatsServer
  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())

  const linked = (port: number): NatsLink => {
    const addresses = parseNatsAddresses([`nats://127.0.0.1:${port}`])
    const link = new NatsLink({ addresses, timeoutMs: 5_000, name: 'test' }, () => 0)
    onTestFinished(() => link.close())
    return link
  }

  it('does nothing with a stream that has taken its place while the connection was lost, and says so', async () => {
    const line = await FaultProxy.start(server.port, new Random(1))
    onTestFinished(() => line.close())
    const [link, others] = [linked(line.port), linked(server.port)]
    const bucket = new KvBucket(link, 'taken', { replicas: 1, maxAgeMs: 60_000 })
    link.use({ prepare: (session) => bucket.ensure(session) })
    await Promise.all([link.open(), others.open()])
    await bucket.put('a', 'ours')
    line.sever()
    await eventually(() => !link.isUp, PATIENCE)
    const { stream } = bucket
    await askJetStream(others.session(), `STREAM.DELETE.${stream}`)
    const subjects = [bucket.subject('>')]
    await askJetStream(others.session(), `STREAM.CREATE.${stream}`, { name: stream, subjects, storage: 'memory' })
    line.mend()
    await eventually(() => link.isUp, PATIENCE)
    for (const use of [() => bucket.put('a', 'ours'), () => bucket.get('a'), () => bucket.erase(1)])
      await expect(use()).rejects.toThrow(`a stream ${stream} that is not Fusewire's`)
    expect(await askJetStream(others.session(), `STREAM.INFO.${stream}`)).toMatchObject({ state: { last_seq: 0 } })
  })

  it('gives all attempts of a call together the time of one answer', async () => {
    const link = linked(server.port)
    const bucket = new KvBucket(link, 'hurried', { replicas: 1, maxAgeMs: 60_000 })
    link.use({ prepare: (session) => bucket.ensure(session) })
    await link.open()
    const session = link.session()
    const ask = session.request.bind(session)
    const request = vi.spyOn(session, 'request')
    const isOfKey = (subject: string): boolean => subject === bucket.subject('a') || subject.includes('.STREAM.MSG.')
    for (const use of [() => bucket.put('a', 'ours'), () => bucket.get('a'), () => bucket.erase(1)]) {
      const times: (number | undefined)[] = []
      request.mockImplementation((subject, payload, fields, timeoutMs) => {
        if (isOfKey(subject) && times.push(timeoutMs) < 3) return Promise.reject(new NoRespondersError('nobody leads it'))
        return ask(subject, payload, fields, timeoutMs)
      })
      await use()
      const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = times
      expect(first).toBeLessThanOrEqual(link.timeoutMs)
      expect(second).toBeLessThan(first)
      expect(third).toBeLessThan(second)
    }
  })

  it('sends nothing whose answer it would not wait for, and says why', async () => {
    const link = linked(server.port)
    await link.open()
    const bucket = new KvBucket(link, 'late', { replicas: 1, maxAgeMs: 60_000 })
    const session = link.session()
    const ask = session.request.bind(session)
    let sent = 0
    let isLate = false
    const clock = performance.now.bind(performance)
    const now = vi.spyOn(performance, 'now')
    const request = vi.spyOn(session, 'request').mockImplementation(async (subject, ...rest) => {
      if (subject !== bucket.subject('a')) {
        const answer = await ask(subject, ...rest)
        // The time is nearly over when the stream has been looked at.
        if (isLate) now.mockImplementation(() => clock() + link.timeoutMs - 50)
        return answer
      }
      if (sent++ > 0) return ask(subject, ...rest)
      isLate = true
      throw new NoRespondersError('nobody leads it')
    })
    onTestFinished(() => {
      now.mockRestore()
      request.mockRestore()
    })
    await expect(bucket.put('a', 'ours')).rejects.toThrow('cannot be used: nobody leads it at the moment')
    expect(sent).toBe(1)
    now.mockImplementation(clock)
    const unseen = new KvBucket(link, 'late', { replicas: 1, maxAgeMs: 60_000 })
    await expect(unseen.put('a', 'ours')).rejects.toThrow('has not answered in time')
    expect(sent).toBe(1)
  })
})

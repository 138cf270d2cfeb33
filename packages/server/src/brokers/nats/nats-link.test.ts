import { describeWith, eventually, FaultProxy, type NatsServer, Random, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { parseNatsAddresses } from './nats-address.ts'
import { NoRespondersError, unavailable } from './nats-error.ts'
import { NatsLink, type NatsLinkUser } from './nats-link.ts'
import { NatsSession } from './nats-session.ts'

const PATIENCE = { timeoutMs: 20_000, intervalMs: 10 }

/** Something of JetStream, which has a leader or not. */
class Stream implements NatsLinkUser {
  isLed: boolean
  /** How often it was looked at. */
  asked = 0

  constructor(isLed: boolean) {
    this.isLed = isLed
  }

  async prepare(): Promise<void> {
    this.asked++
    if (!this.isLed) throw unavailable('nobody leads it')
  }
}

describeWith(['nats-server'], 'NatsLink', () => {
  let server: NatsServer
  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())

  /** To the server over a line that can be cut, and then to others where nobody listens. */
  const made = async (others: readonly string[], random: () => number) => {
    const line = await FaultProxy.start(server.port, new Random(1))
    const addresses = parseNatsAddresses([`nats://127.0.0.1:${line.port}`, ...others])
    const link = new NatsLink({ addresses, timeoutMs: 1_000, name: 'test' }, random)
    onTestFinished(async () => {
      link.close()
      await line.close()
    })
    return { link, cut: () => line.inject({ kind: 'reset' }) }
  }

  it('is up for the first time when all is there that its users need, and again when anything is', async () => {
    const { link, cut } = await made([], () => 0)
    const stream = new Stream(false)
    link.use(stream)
    const opening = link.open()
    await eventually(() => stream.asked > 0, PATIENCE)
    expect(link.isUp).toBe(false)
    stream.isLed = true
    await opening
    stream.isLed = false
    const before = stream.asked
    cut()
    await eventually(() => stream.asked > before && link.isUp, PATIENCE)
  })

  it('stays down, and says what JetStream has said, as long as nothing of it answers', async () => {
    const { link, cut } = await made([], () => 0)
    const stream = new Stream(true)
    link.use(stream)
    await link.open()
    stream.isLed = false
    const { request } = NatsSession.prototype
    const spy = vi.spyOn(NatsSession.prototype, 'request').mockImplementation(function (this: NatsSession, subject, ...rest) {
      return subject === '$JS.API.INFO' ? Promise.reject(new NoRespondersError()) : request.call(this, subject, ...rest)
    })
    onTestFinished(() => spy.mockRestore())
    const before = stream.asked
    cut()
    await eventually(() => stream.asked > before + 1, PATIENCE)
    expect(link.isUp).toBe(false)
    expect(link.problem()?.message).toContain('has no JetStream for us now')
    spy.mockRestore()
    await eventually(() => link.isUp, PATIENCE)
  })

  it('waits for none of its users again once JetStream answers', async () => {
    const { link, cut } = await made([], () => 0)
    let isAnswered = true
    let asked = 0
    link.use({
      prepare: async () => {
        asked++
        if (!isAnswered) await new Promise(() => undefined)
      },
    })
    await link.open()
    isAnswered = false
    const before = asked
    cut()
    await eventually(() => asked > before && link.isUp, PATIENCE)
  })

  it('tries each of its servers before it waits again', async () => {
    let waits = 0
    const { link, cut } = await made(['nats://127.0.0.1:1', 'nats://127.0.0.1:2'], () => {
      waits++
      return 0
    })
    let isBack = false
    link.use({ back: () => (isBack = true) })
    await link.open()
    waits = 0
    cut()
    await eventually(() => isBack, PATIENCE)
    expect(waits).toBe(1)
  })
})

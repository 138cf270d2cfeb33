import { describeWith, type NatsServer, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { parseNatsAddresses } from './nats-address.ts'
import { connectNats } from './nats-connect.ts'
import { unavailable } from './nats-error.ts'

describeWith(['nats-server'], 'NatsSession', () => {
  let server: NatsServer

  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())

  it('gives each request up when its own time is over, in whatever order they were asked', async () => {
    const [address] = parseNatsAddresses([server.url])
    if (!address) throw new Error('no address')
    const session = await connectNats(address, { timeoutMs: 5_000, name: 'test' })
    session.subscribe('silent', () => undefined)
    const over: number[] = []
    const ask = async (timeoutMs: number): Promise<number> => {
      const askedAt = performance.now()
      await expect(session.request('silent', new Uint8Array(), undefined, timeoutMs)).rejects.toThrow(`within ${timeoutMs} ms`)
      over.push(timeoutMs)
      return performance.now() - askedAt - timeoutMs
    }
    const late = await Promise.all([400, 200, 600, 300].map(ask))
    expect(over).toEqual([200, 300, 400, 600])
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    session.end(unavailable('the test is over'))
  })

  it('says what the server has refused where it says that something was not answered', async () => {
    const user = { user: 'fusewire', password: 'x', permissions: { publish: ['allowed'], subscribe: ['_INBOX.>'] } }
    const strict = await startNats({ configuration: { authorization: { users: [user] } } })
    onTestFinished(() => strict.stop())
    const [address] = parseNatsAddresses([`nats://fusewire:x@127.0.0.1:${strict.port}`])
    if (!address) throw new Error('no address')
    const session = await connectNats(address, { timeoutMs: 500, name: 'test' })
    onTestFinished(() => session.end(unavailable('the test is over')))
    await expect(session.request('refused', new Uint8Array())).rejects.toThrow(/within 500 ms: .*refused/u)
  })
})

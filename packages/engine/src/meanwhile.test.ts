import { EngineHarness, FakeHooks, HeldCalls, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

/** What may happen while somebody is asked: the session ends, loses its connection, gets another or another token. */
let hooks: FakeHooks
let held: HeldCalls
let harness: EngineHarness

beforeEach(async () => {
  hooks = new FakeHooks()
  held = new HeldCalls()
  harness = await EngineHarness.start({ hooks: held.of(hooks, 'ask') })
})

const published = async (): Promise<unknown[]> =>
  (await harness.engine.history('open:a', { limit: 10 })).publications.map(({ data }) => data)

describe('publications that wait for the application', () => {
  beforeEach(() => {
    hooks.decisions.publish = () => ({ decision: 'allow' })
  })

  const sendTwo = async (resume?: string) => {
    const client = await harness.connect({ token: 'ann#t1', ...(resume !== undefined && { resume }) })
    held.holding = 'calls'
    for (const data of [1, 2]) client.say({ type: 'publish', channel: 'open:a', data, key: `k${data}` })
    await turn()
    held.holding = 'nothing'
    return client
  }

  it('come to nothing when the token is revoked, those that have not been asked about yet as well', async () => {
    await sendTwo()
    await harness.engine.revoke({ token: 't1' })
    held.release()
    await turn()
    expect(await published()).toEqual([])
    expect(hooks.questions).toHaveLength(1)
  })

  it('come to nothing when the connection is lost, so that their repetition is in order', async () => {
    const client = await sendTwo()
    const { resume } = client.last('connected')
    client.cut()
    held.release()
    await turn()
    expect(await published()).toEqual([])
    await sendTwo(resume)
    held.release()
    await turn()
    expect(await published()).toEqual([1, 2])
  })

  it('come to nothing when another connection has taken over', async () => {
    const client = await sendTwo()
    const { resume } = client.last('connected')
    await harness.connect({ token: 'ann#t1', resume })
    held.release()
    await turn()
    expect(await published()).toEqual([])
  })
})

describe('a session that is resumed by its secret alone', () => {
  it('keeps the token that it was given meanwhile', async () => {
    const first = await harness.connect({ token: `ann@${harness.environment.now() + 20_000}` })
    hooks.decisions.connect = () => ({ decision: 'allow' })
    held.holding = 'calls'
    const second = await harness.connect({ resume: first.last('connected').resume })
    const expiresAt = harness.environment.now() + 200_000
    first.say({ type: 'refresh', id: 2, token: `ann@${expiresAt}` })
    await turn()
    expect(first.last('result').data).toEqual({ expiresAt })
    held.holding = 'nothing'
    held.release()
    await turn()
    expect(second.last('connected')).toMatchObject({ resumed: true, expiresAt })
    for (let n = 0; n < 3; n++) {
      harness.advance(20_000)
      second.say({ type: 'ping' })
    }
    expect(second.isOpen).toBe(true)
  })
  it('is another one where the application names somebody else', async () => {
    const first = await harness.connect({ token: 'ann' })
    hooks.decisions.connect = () => ({ decision: 'allow', user: 'bob' })
    const second = await harness.connect({ resume: first.last('connected').resume })
    expect(second.last('connected')).toMatchObject({ resumed: false, user: 'bob' })
    expect(first.isOpen).toBe(true)
  })

  it('is nobody when it has ended meanwhile: its secret stands for nothing then', async () => {
    const first = await harness.connect({ token: 'ann' })
    const { resume } = first.last('connected')
    first.cut()
    hooks.decisions.connect = () => ({ decision: 'allow' })
    held.holding = 'calls'
    const second = await harness.connect({ resume })
    harness.engine.disconnectUser({ user: 'ann' })
    held.holding = 'nothing'
    held.release()
    await turn()
    expect(second.last('connected')).toMatchObject({ resumed: false })
    expect(second.last('connected')).not.toHaveProperty('user')
    expect(hooks.questions.map(({ user }) => user)).toEqual(['ann', undefined])
  })
})

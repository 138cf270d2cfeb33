import { FusewireError } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { encodeBusMessage } from './bus-message.ts'
import { Calls } from './calls.ts'
import { createClusterStats } from './cluster-stats.ts'
import { delivered, TestCluster } from './testing/test-cluster.ts'

const OPTIONS = { timeoutMs: 3000 }

const pair = async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  return { nodes, a, b }
}

describe('calls between nodes', () => {
  it('brings the question there and the answer back', async () => {
    const { a, b } = await pair()
    b.cluster.handle('double', (data, from) => ({ of: from, twice: (data as number) * 2 }))
    expect(await a.cluster.ask('b', 'double', 21, OPTIONS)).toEqual({ of: 'a', twice: 42 })
    expect(a.cluster.stats.calls).toEqual({ answered: 1, refused: 0, timeout: 0, unsent: 0 })
  })

  it('gives each answer to its own question', async () => {
    const { a, b } = await pair()
    const open: (() => void)[] = []
    b.cluster.handle('wait', (data) => new Promise((resolve) => open.push(() => resolve(data))))
    const asked = [1, 2, 3].map((n) => a.cluster.ask('b', 'wait', n, OPTIONS))
    await eventually(() => open.length === 3)
    for (const answer of open.reverse()) answer()
    expect(await Promise.all(asked)).toEqual([1, 2, 3])
  })

  it('carries refusals with code, message and time, and hides failures', async () => {
    const { a, b } = await pair()
    b.cluster.handle('refuse', () => {
      throw new FusewireError('overloaded', 'busy', { retryAfterMs: 1500 })
    })
    b.cluster.handle('fail', async () => {
      throw new Error('secret')
    })
    await expect(a.cluster.ask('b', 'refuse', 0, OPTIONS)).rejects.toMatchObject({
      code: 'overloaded',
      message: 'busy',
      retryAfterMs: 1500,
    })
    const failure = a.cluster.ask('b', 'fail', 0, OPTIONS)
    await expect(failure).rejects.toMatchObject({ code: 'internal_error', message: expect.not.stringContaining('secret') })
    expect(b.lines.at(-1)).toEqual(['cluster_call_failed', { name: 'fail', node: 'a', error: new Error('secret') }])
    await expect(a.cluster.ask('b', 'unheard', 0, OPTIONS)).rejects.toMatchObject({ code: 'method_not_found' })
  })

  it('carries what is larger than one message of the bus', async () => {
    const { a, b } = await pair()
    const large = Buffer.alloc(1_500_000, 'x')
    b.cluster.handle('echo', (data) => data)
    const answer = await a.cluster.ask('b', 'echo', large, OPTIONS)
    expect(Buffer.from(answer as Uint8Array).equals(large)).toBe(true)
    b.cluster.handle('huge', () => Buffer.alloc(33 * 1024 * 1024))
    await expect(a.cluster.ask('b', 'huge', 0, OPTIONS)).rejects.toMatchObject({ code: 'message_too_large' })
    await expect(a.cluster.ask('b', 'echo', Buffer.alloc(33 * 1024 * 1024), OPTIONS)).rejects.toMatchObject({
      code: 'message_too_large',
    })
  })

  it('gives up at the deadline, when the caller goes, and when the other node has gone', async () => {
    const { nodes, a, b } = await pair()
    b.cluster.handle('never', () => new Promise(() => {}))
    const late = a.cluster.ask('b', 'never', 0, OPTIONS)
    const caller = new AbortController()
    const abandoned = a.cluster.ask('b', 'never', 0, { ...OPTIONS, signal: caller.signal })
    caller.abort()
    await expect(abandoned).rejects.toMatchObject({ code: 'timeout' })
    const failed = expect(late).rejects.toMatchObject({ code: 'timeout' })
    await nodes.pass(3000)
    await failed
    expect(a.cluster.stats.calls.timeout).toBe(1)

    const orphan = expect(a.cluster.ask('b', 'never', 0, OPTIONS)).rejects.toMatchObject({ code: 'timeout' })
    await b.cluster.close()
    await orphan
  })

  it('fails at once when it is closed, and afterwards', async () => {
    const { a, b } = await pair()
    b.cluster.handle('never', () => new Promise(() => {}))
    const open = expect(a.cluster.ask('b', 'never', 0, OPTIONS)).rejects.toMatchObject({ code: 'server_draining' })
    await a.cluster.close()
    await open
    await expect(a.cluster.ask('b', 'never', 0, OPTIONS)).rejects.toMatchObject({ code: 'server_draining' })
  })

  it('asks everyone, and names those who have not answered', async () => {
    const { nodes, a, b } = await pair()
    const c = await nodes.node('c')
    b.cluster.handle('count', () => 3)
    c.cluster.handle('count', () => new Promise(() => {}))
    const gathering = a.cluster.askAll('count', null, OPTIONS)
    await nodes.pass(3000)
    const { answers, unreachable } = await gathering
    expect([...answers]).toEqual([['b', 3]])
    expect(unreachable).toEqual(['c'])
  })

  it('believes no answer of a node that was not asked', async () => {
    const { nodes, a, b } = await pair()
    let answer: (() => void) | undefined
    b.cluster.handle('ask', () => new Promise((resolve) => (answer = () => resolve('true'))))
    const asked = a.cluster.ask('b', 'ask', 0, OPTIONS)
    await eventually(() => answer !== undefined)
    const liar = nodes.bus.node()
    await liar.start('liar', { message: () => {} })
    for (let id = 1; id < 10; id++) await liar.send(encodeBusMessage({ type: 'answer', from: 'liar', id, data: 'false' }), 'a')
    await delivered()
    answer?.()
    expect(await asked).toBe('true')
    expect(a.cluster.stats.refused.unasked).toBe(9)
  })
})

describe('the limits of calls', () => {
  const open = (send: (to: string) => Promise<void> = async () => {}) => {
    const sent: string[] = []
    const calls = new Calls({
      send: async (message, to) => {
        sent.push(`${message.type} ${to}`)
        await send(to)
      },
      now: () => 0,
      limits: { maxPending: 2, maxPendingBytes: 100, maxRunning: 1 },
      stats: createClusterStats(),
      log: () => {},
    })
    return { calls, sent }
  }
  const overloaded = { code: 'overloaded', retryAfterMs: 1000 }

  it('lets so many wait for one node, and no more, whatever waits for others', async () => {
    const { calls } = open()
    const first = calls.ask('b', 'x', 0, OPTIONS)
    calls.ask('b', 'x', 0, OPTIONS).catch(() => {})
    await expect(calls.ask('b', 'x', 0, OPTIONS)).rejects.toMatchObject(overloaded)
    calls.ask('c', 'x', 0, OPTIONS).catch(() => {})
    calls.received({ type: 'answer', from: 'b', id: 1, data: 'yes' })
    expect(await first).toBe('yes')
    calls.ask('b', 'x', 0, OPTIONS).catch(() => {})
    await expect(calls.ask('b', 'x', 0, OPTIONS)).rejects.toMatchObject(overloaded)
    calls.close()
  })

  it('lets so many bytes wait, and one that is larger alone', async () => {
    const { calls } = open()
    calls.ask('b', 'x', 0, { ...OPTIONS, bytes: 1000 }).catch(() => {})
    await expect(calls.ask('b', 'x', 0, { ...OPTIONS, bytes: 1 })).rejects.toMatchObject(overloaded)
    calls.nodeLeft('b')
    calls.ask('b', 'x', 0, { ...OPTIONS, bytes: 60 }).catch(() => {})
    await expect(calls.ask('b', 'x', 0, { ...OPTIONS, bytes: 60 })).rejects.toMatchObject(overloaded)
    calls.close()
  })

  it('answers so many of one node at a time, and refuses the rest', async () => {
    const { calls, sent } = open()
    calls.handle('never', () => new Promise(() => {}))
    calls.received({ type: 'call', from: 'b', id: 1, name: 'never', data: 0 })
    calls.received({ type: 'call', from: 'b', id: 2, name: 'never', data: 0 })
    calls.received({ type: 'call', from: 'c', id: 1, name: 'never', data: 0 })
    await delivered()
    expect(sent).toEqual(['failure b'])
  })

  it('says why a call cannot be sent', async () => {
    const { calls } = open(() => Promise.reject(new FusewireError('broker_unavailable')))
    await expect(calls.ask('b', 'x', 0, OPTIONS)).rejects.toMatchObject({ code: 'broker_unavailable' })
  })
})

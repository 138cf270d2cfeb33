import { eventually } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Api } from '../api.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { ServerMemory, WATCHED } from '../soak/server-memory.ts'
import { until, type Way } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const ROUNDS = 10_000
const SIDE_BY_SIDE = 40
/** Rounds that warm the server up: caches, compiled code and the channels themselves, which keep their places for an hour. */
const WARM_UP = 1_000
const CHANNELS = 100
/** 300 bytes of each round: a session that is forgotten takes several times as much. */
const MAX_GROWTH_BYTES = 300 * ROUNDS
const PATIENCE = { timeoutMs: 30_000 }

/** Most rounds go the cheap ways, some each of the others. */
const wayOf = (round: number): Way => {
  const cheap = WAYS.filter(({ name }) => /clear/u.test(name))
  return (round % 20 === 0 ? WAYS[(round / 20) % WAYS.length] : cheap[round % cheap.length]) as Way
}

describe('a server after 10,000 clients that connect, subscribe and leave', () => {
  it('holds what it held before: memory, deadlines, sessions, subscriptions, channels', { timeout: 180_000 }, async () => {
    const options = { ...DEVELOPMENT, logLevel: 'warn', sessionTtlMs: 500 } as const
    const server = await FusewireProcess.start(options, { nodeFlags: WATCHED })
    onTestFinished(async () => {
      await server.stop()
    })
    const api = new Api(server.http)
    const memory = new ServerMemory(server, api)

    const visit = async (round: number): Promise<void> => {
      const channel = `visit:${round % CHANNELS}`
      const client = await wayOf(round).open(server)
      client.send({ type: 'connect', subscriptions: [{ channel, presence: true }] })
      await until(client, 'subscribed', { channel })
      if (round % 3 === 0) client.send({ type: 'publish', id: 1, channel, data: round })
      if (round % 3 === 1) client.send({ type: 'disconnect' })
      client.destroy()
    }
    const visits = async (from: number, to: number): Promise<void> => {
      let next = from
      const visitors = Array.from({ length: SIDE_BY_SIDE }, async () => {
        while (next < to) await visit(next++)
      })
      await Promise.all(visitors)
    }
    const gauges = async () => {
      const names = ['fusewire_subscriptions', 'fusewire_channels', 'fusewire_deadlines']
      const ofSessions = ['attached', 'detached'].map((state) => api.metric('fusewire_sessions', { state }))
      return Promise.all([...ofSessions, ...names.map((name) => api.metric(name))])
    }
    /** Everything has ended, and what is on the heap is what stays. */
    const settled = async (): Promise<number> => {
      await eventually(async () => expect(await gauges()).toEqual([0, 0, 0, 0, 0]), PATIENCE)
      return memory.heap()
    }

    await visits(0, WARM_UP)
    const before = await settled()
    await visits(WARM_UP, WARM_UP + ROUNDS)
    const after = await settled()
    expect(await api.metric('fusewire_sessions_created_total')).toBe(WARM_UP + ROUNDS)
    console.info(`heap in use: ${before} bytes before, ${after} after`)
    expect(after - before).toBeLessThan(MAX_GROWTH_BYTES)
  })
})

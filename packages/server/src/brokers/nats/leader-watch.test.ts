import { describeWith, eventually, startNatsCluster } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../../config/resolve-options.ts'
import { nodeEnvironment } from '../../node-environment.ts'
import { LeaderWatch } from './leader-watch.ts'
import { natsBackend } from './nats-backend.ts'
import { unavailable } from './nats-error.ts'

const PATIENCE = { timeoutMs: 40_000, intervalMs: 50 }

interface Question {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

describe('LeaderWatch', () => {
  const told: string[] = []
  const listener = { away: () => told.push('away'), back: () => told.push('back') }
  const failure = unavailable('nobody answers')

  it('tells once that there is no leader, and that there is one again; one question is under way at a time', async () => {
    const questions: Question[] = []
    const ask = (): Promise<void> => new Promise((resolve, reject) => questions.push({ resolve, reject }))
    const link = { isUp: true }
    const watch = new LeaderWatch(link, ask, listener)
    const answer = async (settle: (question: Question) => void): Promise<void> => {
      watch.sweep()
      watch.sweep()
      const [question, ...others] = questions.splice(0)
      expect(others).toEqual([])
      if (question) settle(question)
      await new Promise(setImmediate)
    }
    await answer(({ resolve }) => resolve())
    expect([watch.problem(), told]).toEqual([undefined, []])
    await answer(({ reject }) => reject(failure))
    expect([watch.problem(), told]).toEqual([failure, ['away']])
    await answer(({ resolve }) => resolve())
    expect([watch.problem(), told]).toEqual([undefined, ['away', 'back']])
    link.isUp = false
    await answer(({ reject }) => reject(failure))
    expect([watch.problem(), told]).toEqual([undefined, ['away', 'back']])
  })
})

describeWith(['nats-server'], 'a node whose NATS has lost the servers that must agree', () => {
  it('says that it is not ready, until they are back', { timeout: 120_000 }, async () => {
    await using cluster = await startNatsCluster()
    const options = resolveOptions(
      { development: true, broker: cluster.urls.slice(0, 1), natsReplicas: 3, brokerTimeoutMs: 1000 },
      { nodeEnv: undefined },
    )
    const events: string[] = []
    const backend = natsBackend(options, { node: 'n1', environment: nodeEnvironment, log: (event) => events.push(event) })
    onTestFinished(async () => backend.broker.close())
    await backend.open?.()
    await backend.broker.start({ publication: () => {}, interrupted: () => {}, announcement: () => {} })
    const sweeping = setInterval(() => backend.sweep(), 100)
    onTestFinished(() => clearInterval(sweeping))

    await Promise.all([cluster.kill(1), cluster.kill(2)])
    await eventually(() => expect(backend.problem()).toMatchObject({ code: 'broker_unavailable' }), PATIENCE)
    expect(backend.stats.isUp).toBe(false)
    await cluster.restart(1)
    await eventually(() => expect(backend.problem()).toBeUndefined(), PATIENCE)
    // A leader that is there for a moment in between is told of, too.
    const rounds = Math.max(1, events.length / 2)
    expect(events).toEqual(Array.from({ length: rounds }, () => ['broker_away', 'broker_back']).flat())
  })
})

import { describe, expect, it } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import type { FusewireInput } from './options.ts'
import { resolveOptions } from './resolve-options.ts'

const problemsOf = (input: FusewireInput) => {
  try {
    resolveOptions({ allowAnonymous: true, ...input }, { nodeEnv: undefined })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ option, message }) => `${option}: ${message}`)
    throw error
  }
  return []
}

describe("the broker's options", () => {
  it.each([
    [{ broker: ['memory'] }],
    [{ broker: ['redis://:password@127.0.0.1:6379/1'] }],
    [{ broker: ['rediss://a.example', 'rediss://b.example'], redisMode: 'cluster' }],
    [{ broker: ['redis://a:26379', 'redis://b:26379'], redisMode: 'sentinel', redisMaster: 'main' }],
    [{ broker: ['nats://a:4222', 'nats://b:4222'], natsReplicas: 3 }],
  ] satisfies [FusewireInput][])('may be %j', (input) => {
    expect(problemsOf(input)).toEqual([])
  })

  it.each([
    [{ broker: ['memory', 'redis://a'] }, 'broker[0]: is no address'],
    [{ broker: ['http://a'] }, 'broker[0]: is no address'],
    [{ broker: ['redis://a', 'redis://a b'], redisMode: 'cluster' }, 'broker[1]: is not an address'],
    [{ broker: ['redis://a', 'rediss://b'], redisMode: 'cluster' }, 'broker: has addresses of different schemes'],
    [{ broker: ['redis://a', 'nats://b'] }, 'broker: has addresses of different schemes'],
    [{ broker: ['redis://a', 'redis://b'] }, 'broker: has several addresses, and redisMode is standalone'],
    [{ broker: ['redis://:x@a', 'redis://:y@b'], redisMode: 'cluster' }, 'broker: has addresses with different users'],
    [{ broker: ['redis://a/1'], redisMode: 'cluster' }, 'broker[0]: names a database'],
    [{ redisMode: 'cluster' }, 'redisMode: is cluster, and broker has no addresses of Redis'],
    [{ broker: ['nats://a'], redisMode: 'sentinel' }, 'redisMode: is sentinel, and broker has no addresses of Redis'],
    [{ broker: ['redis://a'], natsReplicas: 3 }, 'natsReplicas: is for NATS'],
    [{ broker: ['redis://a'], natsCredentialsFile: '/etc/nats.creds' }, 'natsCredentialsFile: is for NATS'],
    [{ broker: ['redis://a'], brokerPrefix: 'my{x}' }, 'brokerPrefix: may have letters'],
    [{ broker: ['redis://a'], snapshotFile: '/tmp/f' }, 'snapshotFile: is for the memory broker'],
  ] satisfies [FusewireInput, string][])('may not be %j', (input, problem) => {
    expect(problemsOf(input)).toEqual([expect.stringContaining(problem)])
  })

  it('are not repeated in what is said of them: they may hold a password', () => {
    const problems = problemsOf({ broker: ['redis://me:hunter2@a/x', 'postgres://me:hunter2@a'] })
    expect(problems).toHaveLength(2)
    expect(problems.join()).not.toContain('hunter2')
  })
})

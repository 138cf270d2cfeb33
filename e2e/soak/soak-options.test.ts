import { describe, expect, it } from 'vitest'
import { readSoakRequest, repeating } from './soak-options.ts'

const read = (...args: string[]) => readSoakRequest(args, 7)

describe('the command line of the soak', () => {
  it('has defaults, and takes what is asked for', () => {
    expect(read()).toEqual({ kind: 'run', options: { durationMs: 600_000, seed: 7, clients: 24 } })
    expect(read('--minutes', '0.5', '--seed=0', '--clients', '3')).toEqual({
      kind: 'run',
      options: { durationMs: 30_000, seed: 0, clients: 3 },
    })
    expect(read('--cluster', 'nats', '--nodes', '2')).toMatchObject({ options: { cluster: { broker: 'nats', nodes: 2 } } })
    expect(read('--cluster', 'sentinel')).toMatchObject({ options: { cluster: { broker: 'sentinel', nodes: 3 } } })
    expect(read('--help')).toEqual({ kind: 'help' })
  })

  it('can be written again from what was asked for', () => {
    for (const args of [
      ['--minutes', '0.5', '--clients', '3', '--seed', '0'],
      ['--cluster', 'redis-cluster', '--nodes', '2', '--minutes', '10', '--clients', '24', '--seed', '7'],
    ]) {
      const request = read(...args)
      expect(request.kind === 'run' && repeating(request.options)).toBe(`npm run soak -- ${args.join(' ')}`)
    }
  })

  it('says what is wrong', () => {
    for (const args of [['--minutes', 'ten'], ['--minutes', '0'], ['--clients', '1.5'], ['--clients='], ['--seed=-1']])
      expect(read(...args), args.join(' ')).toMatchObject({ kind: 'wrong', message: expect.stringContaining('number from') })
    expect(read('--hours', '1')).toMatchObject({ kind: 'wrong', message: expect.stringContaining('--hours') })
    expect(read('--cluster', 'rabbit')).toMatchObject({ kind: 'wrong', message: expect.stringContaining('redis-cluster') })
    expect(read('--nodes', '2')).toMatchObject({ kind: 'wrong', message: '--nodes is for --cluster' })
    expect(read('now')).toMatchObject({ kind: 'wrong' })
  })
})

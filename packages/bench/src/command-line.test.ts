import { describe, expect, it } from 'vitest'
import { readCommandLine, UsageError } from './command-line.ts'

const KNOWN = ['fan-out', 'echo']
const read = (...args: string[]) => readCommandLine(args, KNOWN)

describe('command line of the benchmark', () => {
  it('reads scenarios and numbers', () => {
    expect(read('echo', '--seconds', '2', '--clients', '10', '--rounds', '3')).toMatchObject({
      scenarios: ['echo'],
      durationMs: 2000,
      clients: 10,
      rounds: 3,
      isQuick: false,
      external: undefined,
    })
    expect(read('all').scenarios).toEqual(KNOWN)
    expect(read().scenarios).toEqual([])
  })

  it('reads where a server elsewhere is', () => {
    expect(read('--url', 'wss://example.com/ws?x=1', '--dialect', 'fusewire').external).toEqual({
      address: { host: 'example.com', port: 443, isTls: true },
      path: '/ws?x=1',
      dialect: 'fusewire',
    })
    expect(read('--url', 'ws://10.0.0.1:9000', '--dialect', 'socket.io').external).toMatchObject({
      address: { host: '10.0.0.1', port: 9000, isTls: false },
      path: undefined,
    })
  })

  it.each([
    [['fanout'], 'there is no scenario "fanout"'],
    [['--clients', '0'], '--clients must be a positive whole number, not "0"'],
    [['--rounds', '1.5'], '--rounds must be a positive whole number'],
    [['--seconds', 'ten'], '--seconds must be a positive whole number'],
    [['--colour'], 'Unknown option'],
    [['--url', 'ws://x'], '--url needs --dialect'],
    [['--url', 'http://x', '--dialect', 'plain'], '--url must begin with ws:// or wss://'],
    [['--url', 'ws://x', '--dialect', 'french'], '--dialect must be fusewire or'],
    [['--dialect', 'plain'], 'which is missing'],
    [['--nodes', '2'], '--nodes is for cluster'],
    [['cluster', '--clients', '2'], '--clients is not for cluster'],
    [['cluster', '--quick'], '--quick is not for cluster'],
    [['cluster', 'echo'], 'cluster is run alone'],
    [['cluster', '--broker', 'kafka'], '--broker must be redis or nats, not "kafka"'],
  ])('refuses %j', (args, message) => {
    expect(() => read(...args)).toThrow(UsageError)
    expect(() => read(...args)).toThrow(message)
  })
})

import { describe, expect, it } from 'vitest'
import { readCommandLine, UsageError } from './command-line.ts'

const FAN_OUT = { name: 'fan-out', takes: ['clients', 'bytes', 'url'] } as const
const ECHO = { name: 'echo', takes: ['clients', 'bytes', 'url'] } as const
const MEMORY = { name: 'memory', takes: ['clients'] } as const
const CONNECTING = { name: 'connecting', takes: [] } as const
const KNOWN = { all: [FAN_OUT, ECHO, MEMORY, CONNECTING], byDefault: [FAN_OUT], quick: [FAN_OUT, MEMORY] }
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
  })

  it('chooses the scenarios that are named, in their own order, and others where none is', () => {
    expect(read('echo', 'fan-out').scenarios).toEqual(['fan-out', 'echo'])
    expect(read('all').scenarios).toEqual(['fan-out', 'echo', 'memory', 'connecting'])
    expect(read().scenarios).toEqual(['fan-out'])
    expect(read('--quick').scenarios).toEqual(['fan-out', 'memory'])
    expect(read('cluster').scenarios).toEqual(['cluster'])
  })

  it('takes options of some scenarios where all that are chosen follow them', () => {
    expect(read('echo', 'memory', '--clients', '10')).toMatchObject({ clients: 10 })
    expect(read('--bytes', '10')).toMatchObject({ bytes: 10 })
    expect(read('cluster', '--bytes', '10')).toMatchObject({ bytes: 10 })
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
    [['connecting', '--clients', '2'], '--clients means nothing to connecting: it is for fan-out, echo, memory'],
    [['echo', 'memory', '--bytes', '2'], '--bytes means nothing to memory: it is for fan-out, echo'],
    [['all', '--bytes', '2'], '--bytes means nothing to memory, connecting: it is for fan-out, echo'],
    [['--quick', '--bytes', '2'], '--bytes means nothing to memory: '],
    [['memory', '--url', 'ws://x', '--dialect', 'plain'], '--url means nothing to memory: it is for fan-out, echo'],
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

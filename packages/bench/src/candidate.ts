import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuSecondsOf } from './process-time.ts'
import type { Target } from './raw-web-socket.ts'

/** A server to measure: how to start it, and what its clients say. */
export interface Candidate {
  readonly name: string
  readonly description: string
  /** Arguments for `node`; the program prints a line with `port=<n>` once it listens. */
  readonly arguments: readonly string[]
  readonly path: string
  /** Sent by a subscriber after the handshake. */
  readonly subscribe: readonly string[]
  /** Frames that a subscriber is sent before the first publication. */
  readonly greetings: number
  /** Sent by the publisher after the handshake. */
  readonly introduce: readonly string[]
  /** What makes the server send `payload` to every subscriber. */
  readonly publish: (payload: string) => string
}

const own = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** Where everything is published that is measured. */
export const CHANNEL = 'bench:fan-out'

/** A publication as Fusewire's clients get it, so that every candidate puts as many bytes on the wire. */
const envelope = (data: string): string =>
  JSON.stringify({
    type: 'publication',
    channel: CHANNEL,
    offset: 1000,
    data,
    sender: { session: 'xxxxxxxxxxxx' },
    time: 1_700_000_000_000,
  })

const peer = (name: string, description: string, file: string): Candidate => ({
  name,
  description,
  arguments: [own(file)],
  path: '/',
  subscribe: [],
  greetings: 0,
  introduce: ['publisher'],
  publish: envelope,
})

export const FUSEWIRE: Candidate = {
  name: 'fusewire',
  description: 'fusewire serve: JSON publish in, history kept, JSON publications out',
  arguments: [
    own('../../cli/bin/fusewire.js'),
    'serve',
    ...['--development', '--no-tls', '--cleartext-port', '0', '--log-level', 'warn', '--log-format', 'json'],
    // One publisher does the work of many, and all clients have one address.
    ...['--messages-per-second', '10000000', '--messages-burst', '100000000'],
    ...['--max-connections-per-address', '1000000'],
    ...['--handshakes-per-second', '1000000', '--handshakes-per-second-per-address', '1000000'],
    ...['--bytes-per-second', '1073741824', '--bytes-burst', '1073741824'],
  ],
  path: '/fusewire/v1/ws',
  subscribe: [JSON.stringify({ type: 'connect', subscriptions: [{ channel: CHANNEL }] })],
  greetings: 2,
  introduce: [JSON.stringify({ type: 'connect' })],
  publish: (payload) => JSON.stringify({ type: 'publish', channel: CHANNEL, data: payload }),
}

export const CANDIDATES: readonly Candidate[] = [
  peer('bare', 'net sockets, one ready-made frame, socket.write in a loop', './servers/bare.js'),
  FUSEWIRE,
  peer('ws', 'the ws package, socket.send for each client', './servers/naive-ws.js'),
]

/** A started server. */
export interface Running {
  readonly target: Target
  /** Seconds of CPU time used so far, user and system; undefined where the system does not tell. */
  cpuSeconds(): number | undefined
  stop(): Promise<void>
}

const portOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    const printed: string[] = []
    const give = () => reject(new Error(`the server ended before it listened: ${printed.join('\n')}`))
    child.once('exit', give)
    if (!child.stdout) throw new Error('the server has no output')
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed.push(line)
      const port = /port=(\d+)|http:\/\/[\w.[\]:]+:(\d+)/u.exec(line)
      if (port) resolve(Number(port[1] ?? port[2]))
    })
  })

/** Starts the server in a process of its own, with these variables in its environment, and waits until it listens. */
export const start = async (candidate: Candidate, environment: Readonly<Record<string, string>> = {}): Promise<Running> => {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, candidate.arguments, { stdio: ['ignore', 'pipe', 'inherit'], env })
  const { pid } = child
  if (pid === undefined) throw new Error(`${candidate.name} could not be started`)
  const port = await portOf(child)
  return {
    target: { host: '127.0.0.1', port, path: candidate.path },
    cpuSeconds: () => cpuSecondsOf(pid),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

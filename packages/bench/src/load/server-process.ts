import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { coreWaitSecondsOf, cpuSecondsOf } from './core-time.ts'

/** How to start a server. The program prints a line with `port=<n>`, or with its URL, once it listens. */
export interface ServerProgram {
  /** Arguments for `node`. */
  readonly arguments: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** What a process uses, in bytes, after its garbage has been collected. */
export interface Memory {
  /** Resident set: everything, that of TLS and of the kernel's buffers in the process included. */
  readonly rss: number
  /** JavaScript objects, and buffers behind them. */
  readonly heap: number
}

/** A started server, in a process of its own. */
export interface RunningServer {
  readonly host: string
  readonly port: number
  /** Seconds of CPU time used so far, user and system; undefined where the system does not tell. */
  cpuSeconds(): number | undefined
  /** Seconds for which its main thread had something to do and no core to do it on so far; undefined where the system does not tell. */
  coreWaitSeconds(): number | undefined
  memory(): Promise<Memory>
  /** Rejects when it ends and nobody has stopped it. */
  readonly crashed: Promise<never>
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 30_000
const MEMORY_REPORT = fileURLToPath(new URL('../servers/memory-report.js', import.meta.url))

const isTasksetThere = spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0

/** True where servers have a core of their own. */
export const isPinned = isTasksetThere && availableParallelism() > 1

/** Leaves the first core to the servers. */
export const pinLoad = (): void => {
  if (isPinned) spawnSync('taskset', ['-a', '-c', '-p', `1-${availableParallelism() - 1}`, `${process.pid}`], { stdio: 'ignore' })
}

/** Starts a server, on the first core alone where `taskset` exists, and waits until it listens. */
export const startServer = async ({ arguments: programArguments, environment }: ServerProgram): Promise<RunningServer> => {
  const all = ['--expose-gc', '--import', MEMORY_REPORT, ...programArguments]
  const command = isPinned ? ['taskset', '-c', '0', process.execPath, ...all] : [process.execPath, ...all]
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const { pid, stdout } = child
  if (pid === undefined || stdout === null) throw new Error('the server could not be started')
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  const lines = createInterface({ input: stdout })
  return new OwnServer(child, pid, lines, await portOf(child, lines))
}

/** Taskset becomes the program that it starts, so its process id is that of the server. */
const portOf = (child: ChildProcess, lines: Interface): Promise<number> =>
  new Promise((resolve, reject) => {
    const printed: string[] = []
    child.stderr?.on('data', (chunk: Buffer) => printed.push(chunk.toString()))
    const timer = setTimeout(() => reject(new Error(`the server does not listen: ${printed.join('\n')}`)), START_TIMEOUT_MS)
    child.once('exit', () => reject(new Error(`the server ended before it listened: ${printed.join('\n')}`)))
    lines.on('line', (line) => {
      printed.push(line)
      const port = /port=(\d+)|https?:\/\/[\w.[\]:]+:(\d+)/u.exec(line)
      if (!port) return
      clearTimeout(timer)
      resolve(Number(port[1] ?? port[2]))
    })
  })

class OwnServer implements RunningServer {
  readonly host = HOST
  readonly port: number
  readonly crashed: Promise<never>
  readonly #child: ChildProcess
  readonly #pid: number
  readonly #lines: Interface
  #isStopped = false

  constructor(child: ChildProcess, pid: number, lines: Interface, port: number) {
    this.#child = child
    this.#pid = pid
    this.#lines = lines
    this.port = port
    this.crashed = new Promise((_, reject) => {
      child.once('exit', (code, signal) => {
        if (!this.#isStopped) reject(new Error(`the server ended by itself (${signal ?? `exit code ${code}`})`))
      })
    })
    // Nobody may be measuring it just then.
    this.crashed.catch(() => {})
  }

  cpuSeconds(): number | undefined {
    return cpuSecondsOf(this.#pid)
  }

  coreWaitSeconds(): number | undefined {
    return coreWaitSecondsOf(this.#pid)
  }

  async memory(): Promise<Memory> {
    const told = new Promise<Memory>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the server does not tell its memory')), START_TIMEOUT_MS)
      const hear = (line: string): void => {
        const [, report] = /^memory=(.*)$/u.exec(line) ?? []
        if (report === undefined) return
        clearTimeout(timer)
        this.#lines.off('line', hear)
        resolve(JSON.parse(report) as Memory)
      }
      this.#lines.on('line', hear)
    })
    this.#child.kill('SIGUSR2')
    return told
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

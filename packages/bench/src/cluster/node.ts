import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuSecondsOf } from '../process-time.ts'
import type { Target } from '../raw-web-socket.ts'
import type { Publisher } from './publisher.ts'
import type { Load, Sent } from './window.ts'

const PROGRAM = fileURLToPath(new URL('../servers/embedded.js', import.meta.url))

/** A node of the cluster: a program that has Fusewire in it, and publishes itself when it is told to. */
export class Node implements Publisher {
  readonly target: Target
  readonly #child: ChildProcess
  readonly #sent: ((sent: Sent) => void)[]
  #closed: Promise<void> | undefined

  private constructor(child: ChildProcess, port: number, sent: ((sent: Sent) => void)[]) {
    this.#child = child
    this.#sent = sent
    this.target = { host: '127.0.0.1', port, path: '/fusewire/v1/ws' }
  }

  static start(broker: string): Promise<Node> {
    const child = spawn(process.execPath, [PROGRAM, broker], { stdio: ['pipe', 'pipe', 'inherit'] })
    process.once('exit', () => child.kill('SIGKILL'))
    const waiting: ((sent: Sent) => void)[] = []
    return new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('a node ended before it listened')))
      createInterface({ input: child.stdout }).on('line', (line) => {
        const port = /^port=(\d+)/u.exec(line)?.[1]
        if (port !== undefined) resolve(new Node(child, Number(port), waiting))
        if (line.startsWith('sent=')) waiting.shift()?.(JSON.parse(line.slice('sent='.length)) as Sent)
      })
    })
  }

  cpuSeconds(): number | undefined {
    return cpuSecondsOf(this.#child.pid ?? 0)
  }

  run(load: Load): Promise<Sent> {
    return new Promise((resolve) => {
      this.#sent.push(resolve)
      this.#child.stdin?.write(`${JSON.stringify(load)}\n`)
    })
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#child.removeAllListeners('exit').once('exit', () => resolve())
      this.#child.kill('SIGKILL')
    })
    return this.#closed
  }
}

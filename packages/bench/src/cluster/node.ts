import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { coreWaitSecondsOf, cpuSecondsOf } from '../load/core-time.ts'
import type { Address } from '../load/open-socket.ts'
import type { BenchBroker } from './broker.ts'
import type { Publisher } from './publisher.ts'
import type { Load, Sent } from './window.ts'

const programOf = (name: string): string => fileURLToPath(new URL(`../servers/${name}.js`, import.meta.url))

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A node of the cluster, a program that has Fusewire in it, or a floor of one: each publishes itself when it is told to. */
export class Node implements Publisher {
  readonly target: Address
  readonly #child: ChildProcess
  readonly #sent: ((sent: Sent) => void)[]
  #closed: Promise<void> | undefined

  private constructor(child: ChildProcess, port: number, sent: ((sent: Sent) => void)[]) {
    this.#child = child
    this.#sent = sent
    this.target = { host: '127.0.0.1', port, isTls: false }
  }

  static start({ url }: BenchBroker): Promise<Node> {
    return Node.#spawn([programOf('embedded'), url])
  }

  /** @param traffic What a node was seen to send to a broker like this one. */
  static startBare({ name, url }: BenchBroker, traffic: object): Promise<Node> {
    return Node.#spawn([programOf('bare-cluster'), name, url], `${JSON.stringify(traffic)}\n`)
  }

  /** The same, for one that takes clients. */
  static startRelay({ name, url }: BenchBroker, traffic: object): Promise<Node> {
    return Node.#spawn([programOf('relay-cluster'), name, url], `${JSON.stringify(traffic)}\n`)
  }

  static #spawn(args: readonly string[], input = ''): Promise<Node> {
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    running.add(child)
    child.once('exit', () => running.delete(child))
    child.stdin.write(input)
    const waiting: ((sent: Sent) => void)[] = []
    return new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('a node ended before it was ready')))
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

  /** Seconds for which it had something to do and no core to do it on; undefined where the system does not tell. */
  coreWaitSeconds(): number | undefined {
    return coreWaitSecondsOf(this.#child.pid ?? 0)
  }

  run(load: Load): Promise<Sent> {
    return new Promise((resolve) => {
      this.#sent.push(resolve)
      this.#child.stdin?.write(`${JSON.stringify(load)}\n`)
    })
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.kill('SIGKILL')
    })
    return this.#closed
  }
}

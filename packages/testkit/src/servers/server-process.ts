import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { guardian } from './guardian.ts'
import { requireServer, type ServerProgram } from './program.ts'

/** A server that answers later than this is taken for one that never will. */
const START_TIMEOUT_MS = 20_000

/** How long a server that was asked to leave may take before it is killed. */
const LEAVE_TIMEOUT_MS = 5_000

/** A thread that is not on a core stops when it next would be: on a busy machine that takes some milliseconds. */
const STOP_TIMEOUT_MS = 1_000

const MAX_LOG_CHARACTERS = 64 * 1024

export interface ServerSpec {
  readonly program: ServerProgram
  /** The arguments, given the folder that is the server's own. */
  readonly args: (folder: string) => readonly string[]
  /** Whether it takes clients now. May throw for no. */
  readonly isReady: () => Promise<boolean>
}

/** A server that a test has started, on ports and in a folder of its own. Whatever happens to the test, it does not outlive it. */
export class ServerProcess implements AsyncDisposable {
  readonly folder: string
  /** What it printed, up to some thousand characters. */
  log = ''
  readonly #spec: ServerSpec
  readonly #file: string
  #child: ChildProcess | undefined
  #isDisposed = false

  /** Starts nothing yet: `launch` does, and `untilReady` waits for it. */
  constructor(spec: ServerSpec) {
    this.#spec = spec
    this.#file = requireServer(spec.program)
    this.folder = mkdtempSync(join(tmpdir(), `fusewire-${spec.program}-`))
    guardian.folder(this.folder)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  launch(): void {
    if (this.#isDisposed) throw new Error(`${this.#spec.program} was stopped for good`)
    if (this.isRunning) return
    const child = spawn(this.#file, this.#spec.args(this.folder), { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.on('error', (error) => this.#keep(String(error)))
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.#keep(text))
    const { pid } = child
    if (pid === undefined) return
    guardian.running(pid)
    child.once('exit', () => guardian.ended(pid))
  }

  async untilReady(): Promise<void> {
    const { program, isReady } = this.#spec
    let hasEnded = false
    const ready = eventually(
      async () => {
        hasEnded = !this.isRunning
        return hasEnded || (await isReady())
      },
      { timeoutMs: START_TIMEOUT_MS, intervalMs: 10 },
    )
    await ready.catch((cause) => {
      throw new Error(`${program} does not answer:\n${this.log}`, { cause })
    })
    if (hasEnded) throw new Error(`${program} has ended:\n${this.log}`)
  }

  /** SIGKILL. Resolves when it is gone; its folder stays for `restart`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGSTOP: its connections stay open, and nothing is answered any more when this returns; elsewhere than on Linux soon after. */
  suspend(): void {
    const { pid } = this.#child ?? {}
    this.#child?.kill('SIGSTOP')
    if (pid === undefined || process.platform !== 'linux') return
    const deadline = performance.now() + STOP_TIMEOUT_MS
    while (!hasStopped(pid) && performance.now() < deadline);
  }

  /** SIGCONT. */
  wake(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Starts it again on its ports, after it was killed or by having it leave first. `empty`: without anything that it had stored. */
  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.#end('SIGTERM')
    if (empty) this.clear()
    this.launch()
    await this.untilReady()
  }

  /** Removes what it has stored. Only while it does not run. */
  clear(): void {
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder)
  }

  /** Ends it for good, and removes its folder. */
  async stop(): Promise<void> {
    this.#isDisposed = true
    await this.#end('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || !this.isRunning) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // One that is suspended sees no other signal before this one.
    child.kill('SIGCONT')
    const deadline = setTimeout(() => child.kill('SIGKILL'), LEAVE_TIMEOUT_MS)
    await exited
    clearTimeout(deadline)
  }

  #keep(text: string): void {
    this.log = (this.log + text).slice(-MAX_LOG_CHARACTERS)
  }
}

/** Whether each of its threads has (proc_pid_stat(5)). */
const hasStopped = (pid: number): boolean => {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      /\) T /u.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
    )
  } catch {
    // A thread has ended meanwhile, or all of them.
    return false
  }
}

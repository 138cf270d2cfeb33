import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../packages/cli/bin/fusewire.js', import.meta.url))

/** For what hangs, and no measure of speed. */
const DEADLINE_MS = 60_000

export interface CommandOptions {
  /** The folder to run in. */
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
  /** What comes through the standard input. */
  readonly input?: string
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[]
  /** Another program of the workspace than the command itself. */
  readonly program?: string
}

/** The environment without what would configure the command. */
const cleanEnvironment = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FUSEWIRE_') && name !== 'NODE_ENV'))

/** A `fusewire` process, as built. */
export class FusewireCommand implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #args: readonly string[]
  readonly #exited: Promise<unknown>
  out = ''
  err = ''

  constructor(args: readonly string[], { folder, environment = {}, input, nodeFlags = [], program = BIN }: CommandOptions) {
    this.#args = args
    this.#child = spawn(process.execPath, [...nodeFlags, program, ...args], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...environment },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    this.#exited = once(this.#child, 'close')
    this.#child.stdin?.end(input)
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.out += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.err += text
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Waits until one of the streams has it. */
  async until(stream: 'out' | 'err', pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + DEADLINE_MS
    for (;;) {
      const found = pattern.exec(this[stream])
      if (found) return found
      if (!this.isRunning || Date.now() > deadline)
        throw new Error(`${this.#args.join(' ')}: no ${pattern}\n${this.out}\n${this.err}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Stops reading what it prints, as `head` does. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  /** The exit code; the name of the signal when one has killed it. */
  async exit(): Promise<number | NodeJS.Signals | null> {
    await this.#exited
    return this.#child.exitCode ?? this.#child.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.#exited
  }
}

/** Runs a command to its end. */
export const runFusewire = async (
  args: readonly string[],
  options: CommandOptions,
): Promise<{ code: number | NodeJS.Signals | null; out: string; err: string }> => {
  await using command = new FusewireCommand(args, options)
  const code = await command.exit()
  return { code, out: command.out, err: command.err }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FusewireCommand } from './fusewire-command.ts'

const PROGRAM = fileURLToPath(new URL('../examples/demo/dist/server/main.js', import.meta.url))

/** The demo's server as `npm start` starts it, once it is built; on ports that the system chose. */
export class DemoProcess implements AsyncDisposable {
  readonly https: string
  readonly http: string
  readonly #command: FusewireCommand
  readonly #folder: string

  private constructor(command: FusewireCommand, folder: string, https: string, http: string) {
    this.#command = command
    this.#folder = folder
    this.https = https
    this.http = http
  }

  static async start(): Promise<DemoProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
    const environment = { PORT: '0', CLEARTEXT_PORT: '0' }
    const command = new FusewireCommand([], { folder, environment, program: PROGRAM })
    const [, https = '', http = ''] = await command.until('out', /(https:\/\/localhost:\d+)\s+(http:\/\/localhost:\d+)/u)
    return new DemoProcess(command, folder, https, http)
  }

  /** What it has complained about. */
  get err(): string {
    return this.#command.err
  }

  /** Asks it to leave, and gives its exit code. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#command.signal('SIGINT')
    return this.#command.exit()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#command[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { FusewireInput } from '@fusewire/server'
import { type CommandOptions, FusewireCommand } from './fusewire-command.ts'

const STOP_DEADLINE_MS = 20_000

interface Announcement {
  readonly urls: readonly [https: string, http: string]
  readonly certificate: { readonly development: { readonly certificateFile: string } }
}

/** A started `fusewire serve`, listening with TLS and in the clear on ports that the system chose. */
export class FusewireProcess implements AsyncDisposable {
  /** Base URLs, without a slash at the end. */
  readonly https: string
  readonly http: string
  /** PEM of the certificate; this process trusts it already. */
  readonly certificateFile: string
  readonly #command: FusewireCommand
  readonly #folder: string

  private constructor(command: FusewireCommand, folder: string, { urls, certificate }: Announcement) {
    this.#command = command
    this.#folder = folder
    ;[this.https, this.http] = urls
    this.certificateFile = certificate.development.certificateFile
  }

  /** Starts a server with these options, in a folder of its own, and resolves when it listens. */
  static async start(
    options: FusewireInput,
    { environment = {}, nodeFlags = [] }: Pick<CommandOptions, 'environment' | 'nodeFlags'> = {},
  ): Promise<FusewireProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
    const defaults = { host: '127.0.0.1', port: 0, cleartextPort: 0, logFormat: 'json', drainWindowMs: 0, drainTimeoutMs: 500 }
    // Every JSON document is a YAML document.
    writeFileSync(join(folder, 'fusewire.yaml'), JSON.stringify({ ...defaults, ...options }))
    const command = new FusewireCommand(['serve'], { folder, environment, nodeFlags })
    const kill = (): void => command.signal('SIGKILL')
    process.once('exit', kill)
    void command.exit().then(() => process.removeListener('exit', kill))
    try {
      const [line] = await command.until('out', /^\{"event":"listening".*\}$/mu)
      const fusewire = new FusewireProcess(command, folder, JSON.parse(line) as Announcement)
      trust(fusewire.certificateFile)
      return fusewire
    } catch (error) {
      await command[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  get pid(): number {
    return this.#command.pid
  }

  get isRunning(): boolean {
    return this.#command.isRunning
  }

  /** What the server has logged, as text. */
  get log(): string {
    return this.#command.err
  }

  /** Lets go of what has been logged so far, where a server runs for long. */
  forgetLog(): void {
    this.#command.err = ''
  }

  get httpsPort(): number {
    return Number(new URL(this.https).port)
  }

  get httpPort(): number {
    return Number(new URL(this.http).port)
  }

  signal(name: NodeJS.Signals): void {
    this.#command.signal(name)
  }

  /** Asks the server to leave, as a service manager does, and gives its exit code; one that does not leave in time is killed. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    const deadline = setTimeout(() => this.#command.signal('SIGKILL'), STOP_DEADLINE_MS)
    if (this.isRunning) this.#command.signal('SIGTERM')
    const code = await this.#command.exit()
    clearTimeout(deadline)
    rmSync(this.#folder, { recursive: true, force: true })
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Lets every client in this process trust a certificate, those of Node itself included. */
const trust = (certificateFile: string): void => {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificateFile, 'utf8')])
}

import { fileURLToPath } from 'node:url'
import { eventually } from '@fusewire/testkit'
import type { Api } from '../api.ts'
import type { FusewireProcess } from '../fusewire-process.ts'

/** Flags of a server whose memory is watched: it says what is on its heap, after a collection, when it is asked. */
export const WATCHED = ['--expose-gc', '--import', fileURLToPath(new URL('../faults/heap-report.mjs', import.meta.url))]

/** What a server that was started with {@link WATCHED} takes. */
export class ServerMemory {
  readonly #server: FusewireProcess
  readonly #api: Api
  /** The most that was resident, in bytes, whenever it was looked at. */
  peakBytes = 0

  constructor(server: FusewireProcess, api: Api) {
    this.#server = server
    this.#api = api
  }

  async look(): Promise<number> {
    const bytes = await this.#api.metric('process_resident_memory_bytes')
    this.peakBytes = Math.max(this.peakBytes, bytes)
    return bytes
  }

  /** What is on the heap and in use, in bytes. */
  async heap(): Promise<number> {
    const reports = () => [...this.#server.log.matchAll(/heap in use: (\d+)/gu)].map(([, bytes]) => Number(bytes))
    const { length } = reports()
    this.#server.signal('SIGUSR2')
    await eventually(() => reports().length > length, { timeoutMs: 30_000, intervalMs: 50 })
    return reports().at(-1) ?? 0
  }
}

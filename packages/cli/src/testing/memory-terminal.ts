import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pc from 'picocolors'
import type { Terminal } from '../terminal.ts'

/** A terminal in a folder of its own that keeps what is printed. */
export class MemoryTerminal implements Terminal, Disposable {
  readonly out: string[] = []
  readonly err: string[] = []
  readonly environment: Record<string, string>
  readonly folder = mkdtempSync(join(tmpdir(), 'fusewire-cli-'))
  readonly input: Readable
  readonly interactive: boolean
  readonly colors = pc.createColors(false)
  readonly noteColors = this.colors

  constructor({
    environment = {},
    input = '',
    interactive = false,
  }: { environment?: Record<string, string>; input?: string; interactive?: boolean } = {}) {
    this.environment = environment
    this.input = Readable.from([input])
    this.interactive = interactive
  }

  print(line: string): void {
    this.out.push(line)
  }

  note(line: string): void {
    this.err.push(line)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

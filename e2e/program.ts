import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '@fusewire/testkit'
import { onTestFinished } from 'vitest'

/** A program besides Node that a test drives; ended with the test. */
export class Program {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #name: string
  readonly #ended: Promise<unknown>
  /** Standard output and standard error so far. */
  out = ''
  err = ''

  constructor(command: string, args: readonly string[]) {
    this.#name = `${command} ${args.join(' ')}`
    this.#child = spawn(command, args)
    this.#ended = once(this.#child, 'close')
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      this.out += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.err += text
    })
    // A program that has ended reads no more.
    this.#child.stdin.on('error', () => {})
    onTestFinished(() => this.kill())
  }

  /** Whole lines of the standard output, without those that are empty. */
  get lines(): string[] {
    const end = this.out.lastIndexOf('\n')
    return end < 0 ? [] : this.out.slice(0, end).split(/\r?\n/u).filter(Boolean)
  }

  write(text: string): void {
    this.#child.stdin.write(text)
  }

  endInput(): void {
    this.#child.stdin.end()
  }

  /** Waits until the standard output has it, and gives the match. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(() => {
      const match = pattern.exec(this.out)
      if (match) return match
      throw new Error(`${this.#name}: no ${pattern} in\n${this.out}\n${this.err}`)
    })
  }

  /** Waits for its end by itself, and gives the exit code. */
  async exit(): Promise<number | null> {
    await this.#ended
    return this.#child.exitCode
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.#ended
  }
}

import type { Readable } from 'node:stream'
import pc from 'picocolors'

type Colors = ReturnType<typeof pc.createColors>

/** Where a command reads and writes, and what surrounds it. */
export interface Terminal {
  /** A line of what was asked for. */
  print(line: string): void
  /** A line about it, which does not get into pipes. */
  note(line: string): void
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The current folder. */
  readonly folder: string
  /** Does a person read what is printed? */
  readonly interactive: boolean
  /** For {@link Terminal.print}. */
  readonly colors: Colors
  /** For {@link Terminal.note}. */
  readonly noteColors: Colors
}

const colorsOf = (isTty: boolean): Colors => pc.createColors(isTty && pc.isColorSupported)

/** The terminal of this process. */
export const processTerminal = (): Terminal => ({
  print: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  input: process.stdin,
  environment: process.env,
  folder: process.cwd(),
  interactive: process.stdout.isTTY === true,
  colors: colorsOf(process.stdout.isTTY === true),
  noteColors: colorsOf(process.stderr.isTTY === true),
})

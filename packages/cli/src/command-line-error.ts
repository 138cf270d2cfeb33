import type { Command } from 'commander'

/** A wrong command line, in commander's words, and the command whose it is. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError'
  readonly command: Command

  constructor(message: string, command: Command) {
    super(message)
    this.command = command
  }
}

/** What the command answers to the shell. */
export const EXIT = {
  ok: 0,
  /** It was asked rightly and did not work: no connection, a refusal, a port in use. */
  failure: 1,
  /** The command line or the configuration is wrong; trying again changes nothing. */
  usage: 2,
} as const

/** A failure that the user is told about in plain words; everything else is a defect and shows its stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failure, options?: { cause?: unknown }) {
    super(message, options)
    this.exitCode = exitCode
  }
}

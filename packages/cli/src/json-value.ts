import { CommandError, EXIT } from './exit-code.ts'

/**
 * Reads data that a person has typed: JSON where it is JSON, a text otherwise, so that `hello` needs no quotes in quotes.
 * What begins like an object, a list or a text of JSON and is none is refused, as it was hardly meant as a text.
 */
export const readJsonOrText = (given: string, what: string): unknown => {
  const text = given.trim()
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!/^[{["]/u.test(text)) return given
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(
      `${what} begins like JSON and is none: ${reason}. Correct it, or add --text to send it as a text.`,
      EXIT.usage,
      { cause },
    )
  }
}

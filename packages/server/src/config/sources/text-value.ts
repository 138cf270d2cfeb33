import type { OptionDescription } from '../describe-options.ts'

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

const list = (text: string): unknown => {
  const trimmed = text.trim()
  if (trimmed.startsWith('[')) return JSON.parse(trimmed)
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim())
}

/**
 * Reads an option from a text, as environment variables and flags have it. What is not of the option's kind stays a text, so that
 * the schema can say what was expected. Lists are separated by commas, or JSON.
 * @throws SyntaxError when a text that starts like JSON is none.
 */
export const readText = (option: OptionDescription, text: string): unknown => {
  switch (option.kind) {
    case 'boolean':
      return BOOLEANS[text.trim().toLowerCase()] ?? text
    case 'integer':
      return /^\s*-?\d+(\.\d+)?\s*$/u.test(text) ? Number(text) : text
    case 'list':
      return list(text)
    case 'records':
      return text.trim() === '' ? [] : JSON.parse(text)
    case 'text':
      return text
  }
}

/** What to write, for a text that {@link readText} could not read. */
export const textForm = ({ kind, example }: OptionDescription): string =>
  kind === 'records' ? `a JSON list, such as ${JSON.stringify(example)}` : 'a list, separated by commas or as JSON'

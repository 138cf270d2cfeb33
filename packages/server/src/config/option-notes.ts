import { z } from 'zod'

/** What the schema language of zod has no word for. */
export interface OptionNotes {
  readonly unit?: 'milliseconds' | 'bytes'
  /** A file or folder. In a configuration file it is relative to that file. */
  readonly path?: boolean
  /** Never printed. */
  readonly secret?: boolean
  /** The default in words, where it depends on other options. */
  readonly defaultText?: string
  /** A value that shows the form, for the file that `fusewire init` writes and the documentation. */
  readonly example?: unknown
}

/** Notes of the option schemas. A schema is registered last, as every method of zod makes a new one. */
export const OPTION_NOTES = z.registry<OptionNotes>()

/** A whole number of milliseconds. */
export const milliseconds = (description: string, range: { default: number; min?: number; max?: number }) =>
  z
    .int()
    .min(range.min ?? 100)
    .max(range.max ?? 86_400_000)
    .default(range.default)
    .describe(description)
    .register(OPTION_NOTES, { unit: 'milliseconds' })

/** A whole number of bytes. */
export const bytes = (description: string, range: { default: number; min: number; max: number }) =>
  z.int().min(range.min).max(range.max).default(range.default).describe(description).register(OPTION_NOTES, { unit: 'bytes' })

/** A whole number of things. */
export const count = (description: string, range: { default: number; min: number; max: number }) =>
  z.int().min(range.min).max(range.max).default(range.default).describe(description)

/** A switch. */
export const flag = (description: string, initial: boolean) => z.boolean().default(initial).describe(description)

/** A string that may be left out, and has no default. */
export const text = (description: string, notes: OptionNotes = {}) =>
  z.string().min(1).exactOptional().describe(description).register(OPTION_NOTES, notes)

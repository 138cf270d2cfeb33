import type { ConfigurationProblem } from '../configuration-error.ts'

/** Options from one place, not checked yet. */
export interface Source {
  readonly values: Readonly<Record<string, unknown>>
  /** What could not be read at all. */
  readonly problems: readonly ConfigurationProblem[]
  /** Where in the source an option is, as its reader would look for it. */
  where(option: string): string | undefined
}

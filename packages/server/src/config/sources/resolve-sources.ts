import type { FusewireInput, FusewireOptions } from '../options.ts'
import { resolveOptions } from '../resolve-options.ts'
import type { Source } from './source.ts'

/** Lays sources over one another, the first being the strongest. An option is taken whole: lists of two sources do not add up. */
export const mergeSources = (sources: readonly Source[]): Source => {
  const values: Record<string, unknown> = {}
  const origin = new Map<string, Source>()
  for (const source of sources)
    for (const [name, value] of Object.entries(source.values)) {
      if (value === undefined || origin.has(name)) continue
      values[name] = value
      origin.set(name, source)
    }
  return {
    values,
    problems: sources.flatMap((source) => source.problems),
    where: (option) => origin.get(/^[^.[]*/u.exec(option)?.[0] ?? '')?.where(option),
  }
}

/**
 * Checks the options of several sources, the first being the strongest, and fills in the defaults.
 * @throws ConfigurationError with everything that is wrong, and where
 */
export const resolveSources = (
  sources: readonly Source[],
  nodeEnv: string | undefined = process.env.NODE_ENV,
): FusewireOptions => {
  const { values, problems, where } = mergeSources(sources)
  return resolveOptions(values as FusewireInput, { where, problems, nodeEnv })
}

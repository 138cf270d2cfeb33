import type { ConfigurationProblem } from './configuration-error.ts'
import type { RuleOptions } from './rule-options.ts'

/** Finds what options of one rule do not go together; each problem names its option. */
export const checkRule = ({
  state,
  recovery,
  slowConsumer,
  conflationTag,
}: RuleOptions): (ConfigurationProblem & { option: string })[] => [
  ...(state && recovery !== 'stream' ? [{ option: 'recovery', message: NEEDS_STREAM }] : []),
  ...(state && slowConsumer === 'latest' ? [{ option: 'slowConsumer', message: NEEDS_EVERYTHING }] : []),
  ...(conflationTag !== undefined && slowConsumer !== 'latest' ? [{ option: 'conflationTag', message: NEEDS_LATEST }] : []),
]

const NEEDS_STREAM = 'a client of a state channel needs every change that it has missed: leave it out, or state'
const NEEDS_EVERYTHING =
  'latest passes over publications, and a client of a state channel that misses one has another document; leave it out, or state'
const NEEDS_LATEST = 'has no meaning without slowConsumer: latest; set that too, or leave it out'

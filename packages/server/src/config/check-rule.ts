import type { ConfigurationProblem } from './configuration-error.ts'
import type { RuleOptions } from './rule-options.ts'

/** Finds what options of one rule do not go together; each problem names its option. */
export const checkRule = ({ state, slowConsumer, conflationTag }: RuleOptions): (ConfigurationProblem & { option: string })[] => {
  if (slowConsumer === 'latest')
    return state
      ? [
          {
            option: 'slowConsumer',
            message:
              'latest passes over publications, and a client of a state channel that misses one has another document; leave it out, or state',
          },
        ]
      : []
  return conflationTag === undefined
    ? []
    : [{ option: 'conflationTag', message: 'has no meaning without slowConsumer: latest; set that too, or leave it out' }]
}

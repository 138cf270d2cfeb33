import { checkOptions } from './check-options.ts'
import { checkRule } from './check-rule.ts'
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts'
import { explainIssue } from './explain-issue.ts'
import { type FusewireInput, type FusewireOptions, optionsSchema } from './options.ts'
import { type RuleInput, type RuleOptions, ruleSchema } from './rule-options.ts'

export interface ResolveContext {
  /** Where an option was written, for the messages. */
  where?(option: string): string | undefined
  /** Problems found on the way, to be reported together with those found here. */
  readonly problems?: readonly ConfigurationProblem[]
  /** Default `process.env.NODE_ENV`. */
  readonly nodeEnv?: string | undefined
}

/** `undefined` is as good as left out: `jwtSecret: process.env.JWT_SECRET` reads well. */
const written = (input: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))

/**
 * Checks the options and fills in the defaults.
 * @throws {@link ConfigurationError} with everything that is wrong, and what to write instead.
 */
export const resolveOptions = (input: FusewireInput, context: ResolveContext = {}): FusewireOptions => {
  const given = written(input)
  const parsed = optionsSchema.safeParse(given)
  const found = [...(context.problems ?? [])]
  if (!parsed.success) {
    found.push(...parsed.error.issues.flatMap((issue) => explainIssue(optionsSchema, given, issue)))
    throw new ConfigurationError(found.map((problem) => located(problem, context)))
  }
  const options: FusewireOptions = {
    ...parsed.data,
    host: parsed.data.host ?? (parsed.data.development ? '127.0.0.1' : '0.0.0.0'),
    logFormat: parsed.data.logFormat ?? (parsed.data.development ? 'pretty' : 'json'),
  }
  const nodeEnv = 'nodeEnv' in context ? context.nodeEnv : process.env.NODE_ENV
  found.push(...checkOptions(options, nodeEnv))
  if (found.length > 0) throw new ConfigurationError(found.map((problem) => located(problem, context)))
  return options
}

/**
 * Checks one rule and fills in the defaults, for rules that a program adds.
 * @throws {@link ConfigurationError}
 */
export const resolveRule = (input: RuleInput): RuleOptions => {
  const given = written(input)
  const parsed = ruleSchema.safeParse(given)
  const problems = parsed.success
    ? checkRule(parsed.data)
    : parsed.error.issues.flatMap((issue) => explainIssue(ruleSchema, given, issue))
  if (parsed.success && problems.length === 0) return parsed.data
  throw new ConfigurationError(
    problems.map(({ option, message }) => ({
      message,
      option: `rule ${JSON.stringify(input.pattern)}${option === undefined ? '' : `, ${option}`}`,
    })),
  )
}

const located = (problem: ConfigurationProblem, context: ResolveContext): ConfigurationProblem => {
  if (problem.where !== undefined || problem.option === undefined) return problem
  const where = context.where?.(problem.option)
  return where === undefined ? problem : { ...problem, where }
}

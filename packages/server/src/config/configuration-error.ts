/** One thing that is wrong with the configuration. */
export interface ConfigurationProblem {
  /** The option, as a path: `pingIntervalMs`, `rules[0].publish`. Absent when the problem is not one option's. */
  readonly option?: string
  /** Where the value comes from, as the reader would look for it: `fusewire.yaml:3:17`, `FUSEWIRE_PORT`, `--port`. */
  readonly where?: string
  /** What is wrong and what to write instead. */
  readonly message: string
}

const line = ({ option, where, message }: ConfigurationProblem): string => {
  const subject = option === undefined ? where : where === undefined ? option : `${option} (${where})`
  return subject === undefined ? message : `${subject}: ${message}`
}

/** The configuration cannot be used. Lists every problem at once, so that it takes one correction and not one for each. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly ConfigurationProblem[]

  constructor(problems: readonly ConfigurationProblem[] | string, options?: { cause?: unknown }) {
    const list = typeof problems === 'string' ? [{ message: problems }] : problems
    super(list.map(line).join('\n'), options)
    this.problems = list
  }
}

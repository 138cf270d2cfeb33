import type { ConfigurationProblem } from '../configuration-error.ts'
import { OPTION_DESCRIPTIONS } from '../describe-options.ts'
import type { Source } from './source.ts'
import { readText, textForm } from './text-value.ts'

/** What a command line had for an option: a text, several where the flag was repeated, or a switch. */
export type FlagValue = string | readonly string[] | boolean

/** Reads the options from the flags of a command line, by option name. The flags of a list add up. */
export const flagSource = (flags: Readonly<Record<string, FlagValue | undefined>>): Source => {
  const values: Record<string, unknown> = {}
  const problems: ConfigurationProblem[] = []
  for (const option of OPTION_DESCRIPTIONS) {
    const given = flags[option.name]
    if (given === undefined) continue
    try {
      if (typeof given === 'boolean') values[option.name] = given
      else if (typeof given === 'string') values[option.name] = readText(option, given)
      else values[option.name] = given.flatMap((text) => readText(option, text))
    } catch {
      problems.push({ option: option.name, where: option.flag, message: `is ${textForm(option)}` })
    }
  }
  return {
    values,
    problems,
    where: (path) => OPTION_DESCRIPTIONS.find(({ name }) => name === /^\w+/u.exec(path)?.[0])?.flag,
  }
}

import type { ConfigurationProblem } from '../configuration-error.ts'
import { OPTION_DESCRIPTIONS } from '../describe-options.ts'
import { nearestKey } from '../nearest-key.ts'
import type { Source } from './source.ts'
import { readText, textForm } from './text-value.ts'

const PREFIX = 'FUSEWIRE_'

const OPTIONS = new Map(OPTION_DESCRIPTIONS.map((option) => [option.environment, option]))

/**
 * Kubernetes gives every container variables for the services of its namespace (`enableServiceLinks`). Those of a service that
 * is called `fusewire` look like ours: FUSEWIRE_SERVICE_HOST, FUSEWIRE_PORT_8443_TCP, and FUSEWIRE_PORT=tcp://10.0.0.1:8443.
 */
const isServiceLink = (name: string, value: string): boolean =>
  /^FUSEWIRE_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_|$)/u.test(name) ||
  (name === 'FUSEWIRE_PORT' && /^(tcp|udp):\/\//u.test(value))

/**
 * Reads the options from environment variables: `FUSEWIRE_PING_INTERVAL_MS=25000`.
 * @param others names with the same prefix that mean something else to the caller
 */
export const environmentSource = (
  environment: Readonly<Record<string, string | undefined>>,
  others: readonly string[] = [],
): Source => {
  const values: Record<string, unknown> = {}
  const problems: ConfigurationProblem[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined || others.includes(name) || isServiceLink(name, text)) continue
    const option = OPTIONS.get(name)
    if (!option) {
      const nearest = nearestKey(
        name.slice(PREFIX.length),
        [...OPTIONS.keys(), ...others].map((key) => key.slice(PREFIX.length)),
      )
      const advice = nearest ? `did you mean ${PREFIX}${nearest}?` : 'see docs/configuration.md for the list'
      problems.push({ where: name, message: `is not an option; ${advice}` })
      continue
    }
    try {
      values[option.name] = readText(option, text)
    } catch {
      problems.push({ option: option.name, where: name, message: `is ${textForm(option)}` })
    }
  }
  return {
    values,
    problems,
    where: (path) => OPTION_DESCRIPTIONS.find(({ name }) => name === /^\w+/u.exec(path)?.[0])?.environment,
  }
}

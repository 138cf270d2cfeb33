import { ConfigurationError } from '@fusewire/server'

/**
 * The port in the environment variable of this name; undefined where it is not set.
 * @throws ConfigurationError for what is no port.
 */
export const readPort = (name: string, environment: NodeJS.ProcessEnv): number | undefined => {
  const text = environment[name]
  if (!text) return undefined
  if (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535) return Number(text)
  throw new ConfigurationError([{ where: name, message: `is a number from 0 to 65535, not "${text}"` }])
}

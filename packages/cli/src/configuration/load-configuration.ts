import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  environmentSource,
  type FlagValue,
  type FusewireOptions,
  flagSource,
  mergeSources,
  resolveSources,
  type Source,
  yamlSource,
} from '@fusewire/server/configuration'
import { ENVIRONMENT } from '../environment-names.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import type { Terminal } from '../terminal.ts'

export const DEFAULT_FILE = 'fusewire.yaml'

/** What `addConfigurationOptions` puts on the command line. */
export interface ConfigurationFlags extends Readonly<Record<string, FlagValue | undefined>> {
  readonly config?: string
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; correct the path, or write one with "fusewire init"',
  EISDIR: 'is a folder; give the path of the file in it',
  EACCES: 'may not be read by this user; change its owner or mode',
}

const readFile = (name: string, { folder }: Terminal, optional: boolean): Source | undefined => {
  const path = resolve(folder, name)
  try {
    return yamlSource(readFileSync(path, 'utf8'), name, dirname(path))
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (optional && code === 'ENOENT') return undefined
    throw new CommandError(`The configuration file ${path} ${REASONS[code] ?? String(cause)}.`, EXIT.usage, { cause })
  }
}

/** The sources of the configuration, the strongest first: flags, environment, file. */
const sourcesOf = (flags: ConfigurationFlags, terminal: Terminal): { sources: Source[]; file?: string } => {
  const { config, ...options } = flags
  const named = config ?? terminal.environment[ENVIRONMENT.config]
  const name = named ?? DEFAULT_FILE
  const file = readFile(name, terminal, named === undefined)
  const sources = [flagSource(options), environmentSource(terminal.environment, Object.values(ENVIRONMENT))]
  return file ? { sources: [...sources, file], file: name } : { sources }
}

export interface Configuration {
  readonly options: FusewireOptions
  /** The file that was read, as it was named. */
  readonly file?: string
}

/**
 * Reads and checks the whole configuration.
 * @throws ConfigurationError with everything that is wrong, and where; {@link CommandError} when the file cannot be read.
 */
export const loadConfiguration = (flags: ConfigurationFlags, terminal: Terminal): Configuration => {
  const { sources, file } = sourcesOf(flags, terminal)
  const options = resolveSources(sources, terminal.environment.NODE_ENV)
  return file === undefined ? { options } : { options, file }
}

/** One option as it is written, whatever else may be wrong with the configuration; for commands that need no more of it. */
export const readOption = (name: string, flags: ConfigurationFlags, terminal: Terminal): string | undefined => {
  const value = mergeSources(sourcesOf(flags, terminal).sources).values[name]
  return typeof value === 'string' ? value : undefined
}

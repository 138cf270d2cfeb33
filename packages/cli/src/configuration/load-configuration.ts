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
import { readProblem } from '../file-problem.ts'
import type { Terminal } from '../terminal.ts'

export const DEFAULT_FILE = 'fusewire.yaml'

/** What `addConfigurationOptions` puts on the command line. */
export interface ConfigurationFlags extends Readonly<Record<string, FlagValue | undefined>> {
  readonly config?: string
}

const readFile = (name: string, { folder }: Terminal, optional: boolean): Source | undefined => {
  const path = resolve(folder, name)
  try {
    return yamlSource(readFileSync(path, 'utf8'), name, dirname(path))
  } catch (cause) {
    if (optional && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    const problem = readProblem(cause, 'correct the path, or write one with "fusewire init"')
    throw new CommandError(`The configuration file ${path} ${problem}.`, EXIT.usage, { cause })
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

/** An option as it is written, not checked yet. */
export interface WrittenOption {
  readonly value: string
  /** Its name, and where it is written: `jwtSecret (fusewire.yaml:3:1)`. */
  readonly origin: string
}

/** One option, whatever else may be wrong with the configuration; for commands that need no more of it. */
export const readOption = (name: string, flags: ConfigurationFlags, terminal: Terminal): WrittenOption | undefined => {
  const { values, where } = mergeSources(sourcesOf(flags, terminal).sources)
  const value = values[name]
  return typeof value === 'string' ? { value, origin: `${name} (${where(name)})` } : undefined
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from './configuration-error.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; correct the path, which is relative to the configuration file, or elsewhere to the current folder',
  ENOTDIR: 'does not exist: a part of the path is a file',
  EACCES: 'must not be read by the user that the server runs as; change its owner or mode',
  EPERM: 'must not be read by the user that the server runs as; change its owner or mode',
  EISDIR: 'is a folder; give the path of the file in it',
}

/** What keeps a file from being read or written, in words that follow the option's name. */
export const fileProblem = (path: string, error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return `${resolve(path)} ${REASONS[code] ?? `cannot be used (${code})`}`
}

/**
 * Reads the file that an option names.
 * @throws {@link ConfigurationError} saying which option, which file, and what to do.
 */
export const readOptionFile = (path: string, option: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigurationError([{ option, message: fileProblem(path, cause) }], { cause })
  }
}

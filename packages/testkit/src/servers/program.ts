import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, it } from 'vitest'

/** A program that tests start, and the package of Debian that has it. */
const PACKAGES = {
  'redis-server': 'redis-server',
  'redis-sentinel': 'redis-sentinel',
  'redis-cli': 'redis-tools',
  'nats-server': 'nats-server',
} as const

export type ServerProgram = keyof typeof PACKAGES

/** Where Debian puts servers, which is not in the path of every user. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin']

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const find = (program: ServerProgram): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS].map((folder) => join(folder, program)).find(isExecutable)

const isOldRedis = (file: string): boolean => {
  const version = /v=(\d+)/u.exec(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout)?.[1]
  return version !== undefined && Number(version) < 7
}

/** One line that says what is missing, and undefined when nothing is. */
export const missingServer = (...programs: readonly ServerProgram[]): string | undefined => {
  for (const program of programs) {
    const file = find(program)
    const install = `On Debian: apt-get install ${PACKAGES[program]}`
    if (file === undefined) return `${program} is missing. ${install}`
    if (program === 'redis-server' && isOldRedis(file)) return `redis-server is older than 7.0. ${install}`
  }
  return undefined
}

/** The file of a program. Throws the line that says what is missing. */
export const requireServer = (program: ServerProgram): string => {
  const missing = missingServer(program)
  const file = find(program)
  if (missing !== undefined || file === undefined) throw new Error(missing)
  return file
}

/**
 * A suite that needs these programs. Without them it is skipped, and its title says what is missing; with `CI` set it fails.
 *
 * @example describeWith(['redis-server'], 'RedisBroker', () => { … })
 */
export const describeWith = (programs: readonly ServerProgram[], title: string, suite: () => void): void => {
  const missing = missingServer(...programs)
  if (missing === undefined) describe(title, suite)
  else if (process.env.CI)
    describe(title, () => {
      it('has the programs that it needs', () => {
        throw new Error(missing)
      })
    })
  else describe.skip(`${title} (${missing})`, suite)
}

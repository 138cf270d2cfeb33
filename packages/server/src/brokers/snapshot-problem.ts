import { dirname, resolve } from 'node:path'
import { ConfigurationError } from '../config/configuration-error.ts'
import { LockHeld } from './file-lock.ts'
import { SnapshotUnreadable } from './snapshot-format.ts'

const OPTION = 'snapshotFile'

const messageOf = (path: string, error: unknown): string | undefined => {
  if (error instanceof SnapshotUnreadable)
    return `${path} ${error.message}. The server does not start without what it holds: bring back a copy of it, or move it away to begin with nothing (mv ${path} ${path}.broken)`
  if (error instanceof LockHeld) return `${path} is in use: ${error.message}. Stop that server, or give each a file of its own`
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `${dirname(path)} does not exist; make the folder, or correct the path, which is relative to the configuration file, or elsewhere to the current folder`
    case 'ENOTDIR':
      return `${path} cannot be: a part of the path is a file`
    case 'EISDIR':
      return `${path} is a folder; give the path of a file in it`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${path} and its folder must be read and written by the user that the server runs as; change their owner or mode`
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no room on the disk of ${path}`
    default:
      return undefined
  }
}

/** What the operator has to do about a snapshot file that cannot be used; any other error as it is. */
export const explainSnapshot = (file: string, error: unknown): unknown => {
  const message = messageOf(resolve(file), error)
  return message === undefined ? error : new ConfigurationError([{ option: OPTION, message }], { cause: error })
}

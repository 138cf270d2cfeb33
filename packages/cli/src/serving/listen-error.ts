import type { FusewireOptions } from '@fusewire/server'
import { CommandError } from '../exit-code.ts'

interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
  readonly hostname?: string
  readonly port?: number
  readonly address?: string
}

const isSystemError = (error: Error): error is SystemError =>
  'code' in error && typeof error.code === 'string' && 'syscall' in error && typeof error.syscall === 'string'

/** What the system has said about the address to listen on: not about that of a broker, which is none of ours. */
const systemError = (error: unknown, { host }: FusewireOptions): SystemError | undefined => {
  for (let at = error; at instanceof Error; at = at.cause)
    if (isSystemError(at)) return at.syscall === 'listen' || at.hostname === host ? at : undefined
  return undefined
}

/** Says in plain words why the server cannot listen, and which options change that; other errors stay what they are. */
export const explainListenError = (error: unknown, options: FusewireOptions): unknown => {
  const cause = systemError(error, options)
  if (!cause) return error
  const port = cause.port ?? options.port
  const [name, flag] = options.tls && port === options.port ? ['port', '--port'] : ['cleartextPort', '--cleartext-port']
  const another = `Choose another one with ${name} in the configuration or ${flag} <number>`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new CommandError(
        `Port ${port} is in use on ${options.host}. ${another}, or end the program that holds it: "lsof -i :${port}" shows which.`,
        undefined,
        { cause: error },
      )
    case 'EACCES':
      return new CommandError(`This user may not listen on port ${port}. ${another}, from 1024 up.`, undefined, { cause: error })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new CommandError(
        `${options.host} is no address of this machine. Set host to one that is, to 127.0.0.1 for this machine alone, or to 0.0.0.0 for all.`,
        undefined,
        { cause: error },
      )
    default:
      return error
  }
}

import type { FusewireOptions, Listening } from '@fusewire/server'
import { createCommandServer, Workers, WorkersError } from '@fusewire/server/command'
import { workerCount } from '@fusewire/server/configuration'
import { CommandError, EXIT } from '../exit-code.ts'
import { interrupted } from '../interrupt.ts'
import type { Terminal } from '../terminal.ts'
import { type BannerStyle, banner, warnings } from './banner.ts'
import { explainListenError } from './listen-error.ts'

/** For what belongs to no connection: a broker that writes down what it holds. */
const OVERTIME_MS = 2000

/** Starts a server, or several workers, and resolves when it has left. */
export const serve = async (options: FusewireOptions, terminal: Terminal): Promise<void> => {
  const server = serverOf(options)
  // On a terminal SIGHUP says that the terminal is gone; a server that stayed would hold the port unseen.
  const interrupt = interrupted({ hangup: terminal.interactive })
  const stopReloading = terminal.interactive ? undefined : reloadOnHangup(server)
  const asked = interrupt.signal.then((): undefined => {
    terminal.note('Leaving; a second signal ends at once.')
  })
  try {
    const listening = await Promise.race([server.listen(), asked])
    if (!listening) return await inTime(options, server.close())
    announce(listening, options, terminal)
    // Ends by itself after "fusewire drain".
    await Promise.race([server.closed, asked])
    await inTime(options, server.drain())
  } catch (error) {
    throw error instanceof WorkersError
      ? new CommandError(error.message, undefined, { cause: error })
      : explainListenError(error, options)
  } finally {
    stopReloading?.()
    interrupt.dispose()
  }
}

/** A server of this process, or of several. */
interface Served {
  readonly closed: Promise<void>
  listen(): Promise<Listening>
  reloadCertificates(): unknown
  drain(): Promise<void>
  close(): Promise<void>
}

const serverOf = (options: FusewireOptions): Served => {
  if (workerCount(options) === 1) return createCommandServer({ ...options, workers: 1 })
  // This very command again, with the same Node and its flags.
  const [file, program = ''] = process.argv as [string, string?]
  const workers = new Workers(options, { file, args: [...process.execArgv, program, 'worker'] })
  // However this process ends, if it can still do something about it.
  process.once('exit', () => workers.kill())
  return workers
}

/** Whatever hangs, be it a start that does not come to its end: the process does not outstay its time. */
const inTime = async ({ drainTimeoutMs }: FusewireOptions, end: Promise<void>): Promise<void> => {
  const deadline = setTimeout(() => process.exit(EXIT.failure), drainTimeoutMs + OVERTIME_MS)
  try {
    await end
  } finally {
    clearTimeout(deadline)
  }
}

/** For people as lines; for programs, which read JSON line by line, as one JSON object. Warnings are for both. */
const announce = (listening: Listening, options: FusewireOptions, terminal: Terminal): void => {
  if (terminal.interactive || options.logFormat === 'pretty') {
    for (const line of banner(listening, options, styleOf(terminal))) terminal.print(line)
    return
  }
  const { urls, certificate } = listening
  const workers = workerCount(options)
  terminal.print(
    JSON.stringify({ event: 'listening', urls, development: options.development, ...(workers > 1 && { workers }), certificate }),
  )
  for (const line of warnings(listening, options)) terminal.note(line)
}

const reloadOnHangup = (server: Served): (() => void) => {
  const reload = () => void server.reloadCertificates()
  process.on('SIGHUP', reload)
  return () => process.removeListener('SIGHUP', reload)
}

const styleOf = ({ colors }: Terminal): BannerStyle => ({
  bold: colors.bold,
  dim: colors.dim,
  url: colors.cyan,
  danger: (text) => colors.bgRed(colors.white(colors.bold(text))),
  warning: colors.yellow,
})

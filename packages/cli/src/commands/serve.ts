import { createFusewire, type FusewireOptions, type Listening, Workers, workerCount } from '@fusewire/server'
import { Command } from 'commander'
import { type BannerStyle, banner, warnings } from '../banner.ts'
import { addConfigurationOptions } from '../configuration/configuration-options.ts'
import { type ConfigurationFlags, loadConfiguration } from '../configuration/load-configuration.ts'
import { EXIT } from '../exit-code.ts'
import { interrupted } from '../interrupt.ts'
import { explainListenError } from '../listen-error.ts'
import type { Terminal } from '../terminal.ts'

/** For what belongs to no connection: a broker that writes down what it holds. */
const OVERTIME_MS = 2000

export const serveCommand = (terminal: Terminal): Command =>
  addConfigurationOptions(new Command('serve').description('Start a server'))
    .addHelpText(
      'after',
      `
Each flag is an option of the configuration; flags are stronger than environment variables (FUSEWIRE_PING_INTERVAL_MS), those
stronger than the file. Lists are separated by commas.

With workers, several processes serve the port, and this one keeps them running: one that ends is replaced by another, on which its
clients go on. Limits such as maxConnections are for each of them.

SIGINT (Ctrl-C) and SIGTERM, like "fusewire drain", have the clients move to other servers over drainWindowMs, and end with 0 once
they have gone, after drainTimeoutMs at most; a second one ends at once. SIGHUP reads the certificate files again; on a terminal it ends the server, as the terminal is gone.
Files that change are read again without it too.

Examples:
  $ fusewire serve --development
  $ fusewire serve --config /etc/fusewire/fusewire.yaml
  $ fusewire serve --port 443 --tls-cert-file tls.crt --tls-key-file tls.key --jwks-url https://id.example.com/keys
  $ fusewire serve --config fusewire.yaml --workers auto
  $ fusewire serve --no-tls --cleartext-port 8080 --log-level debug
  $ FUSEWIRE_JWT_SECRET="$SECRET" fusewire serve --rules '[{"pattern":"chat:*","publish":"user"}]'`,
    )
    .action((flags: ConfigurationFlags) => serve(flags, terminal))

const serve = async (flags: ConfigurationFlags, terminal: Terminal): Promise<void> => {
  const { options } = loadConfiguration(flags, terminal)
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
    throw explainListenError(error, options)
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
  if (workerCount(options) === 1) return createFusewire({ ...options, workers: 1 })
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

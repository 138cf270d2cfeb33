import { createFusewire, type Fusewire, type FusewireOptions, type Listening } from '@fusewire/server'
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

SIGINT (Ctrl-C) and SIGTERM, like "fusewire drain", have the clients move to other servers over drainWindowMs, and end with 0 once
they have gone, after drainTimeoutMs at most; a second one ends at once. SIGHUP reads the certificate files again; on a terminal it ends the server, as the terminal is gone.
Files that change are read again without it too.

Examples:
  $ fusewire serve --development
  $ fusewire serve --config /etc/fusewire/fusewire.yaml
  $ fusewire serve --port 443 --tls-cert-file tls.crt --tls-key-file tls.key --jwks-url https://id.example.com/keys
  $ fusewire serve --no-tls --cleartext-port 8080 --log-level debug
  $ FUSEWIRE_JWT_SECRET="$SECRET" fusewire serve --rules '[{"pattern":"chat:*","publish":"user"}]'`,
    )
    .action((flags: ConfigurationFlags) => serve(flags, terminal))

const serve = async (flags: ConfigurationFlags, terminal: Terminal): Promise<void> => {
  const { options } = loadConfiguration(flags, terminal)
  const fusewire = createFusewire(options)
  // On a terminal SIGHUP says that the terminal is gone; a server that stayed would hold the port unseen.
  const interrupt = interrupted({ hangup: terminal.interactive })
  const stopReloading = terminal.interactive ? undefined : reloadOnHangup(fusewire)
  const leave = (): void => terminal.note('Leaving; a second signal ends at once.')
  try {
    const listening = await Promise.race([fusewire.listen(), interrupt.signal.then(leave)])
    if (!listening) return await inTime(options, fusewire.close())
    announce(listening, options, terminal)
    // Ends by itself after "fusewire drain".
    await Promise.race([fusewire.closed, interrupt.signal.then(leave)])
    await inTime(options, fusewire.drain())
  } catch (error) {
    throw explainListenError(error, options)
  } finally {
    stopReloading?.()
    interrupt.dispose()
  }
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
  terminal.print(JSON.stringify({ event: 'listening', urls, development: options.development, certificate }))
  for (const line of warnings(listening, options)) terminal.note(line)
}

const reloadOnHangup = (fusewire: Fusewire): (() => void) => {
  const reload = () => void fusewire.reloadCertificates()
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

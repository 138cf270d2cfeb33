import { createFusewire, type Fusewire, type FusewireOptions, type Listening } from '@fusewire/server'
import { Command } from 'commander'
import { type BannerStyle, banner, warnings } from '../banner.ts'
import { addConfigurationOptions } from '../configuration/configuration-options.ts'
import { type ConfigurationFlags, loadConfiguration } from '../configuration/load-configuration.ts'
import { interrupted } from '../interrupt.ts'
import { explainListenError } from '../listen-error.ts'
import type { Terminal } from '../terminal.ts'

export const serveCommand = (terminal: Terminal): Command =>
  addConfigurationOptions(new Command('serve').description('Start a server'))
    .addHelpText(
      'after',
      `
Each flag is an option of the configuration; flags are stronger than environment variables (FUSEWIRE_PING_INTERVAL_MS), those
stronger than the file. Lists are separated by commas.

SIGINT (Ctrl-C) and SIGTERM tell the clients to come back, and end with 0 once they have gone, after drainTimeoutMs at most; a
second one ends at once. SIGHUP reads the certificate files again; on a terminal it ends the server, as the terminal is gone.
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
  try {
    const listening = await fusewire.listen()
    announce(listening, options, terminal)
    await interrupt.signal
    terminal.note('Closing; a second signal ends at once.')
  } catch (error) {
    throw explainListenError(error, options)
  } finally {
    await fusewire.close()
    stopReloading?.()
    interrupt.dispose()
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

import type { Command } from 'commander'
import { addConfigurationOptions } from '../configuration/configuration-options.ts'
import { type ConfigurationFlags, loadConfiguration } from '../configuration/load-configuration.ts'
import { letNewSpaceGrow } from '../new-space.ts'
import type { Terminal } from '../terminal.ts'

export const defineServe = (command: Command, terminal: Terminal): Command =>
  addConfigurationOptions(command)
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
    .action(async (flags: ConfigurationFlags) => {
      const { options } = loadConfiguration(flags, terminal)
      const { serve } = await import('../serving/serve.ts')
      letNewSpaceGrow()
      await serve(options, terminal)
    })

import { type Command, Option } from 'commander'
import { ENVIRONMENT } from '../environment-names.ts'
import { CommandError, EXIT } from '../exit-code.ts'

export const DEFAULT_URL = 'https://localhost:8443'

/** What the client commands share. */
export interface ConnectionFlags {
  readonly url: string
  readonly ca?: string
  readonly insecure?: boolean
}

const GROUP = 'Connection:'

/** Adds what every command needs that talks to a server. */
export const addConnectionOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('-u, --url <url>', 'address of the server')
        .default(DEFAULT_URL)
        .env(ENVIRONMENT.url)
        .argParser(readUrl)
        .helpGroup(GROUP),
    )
    .addOption(new Option('--ca <file>', 'trust the certificates in this PEM file too').env(ENVIRONMENT.ca).helpGroup(GROUP))
    .addOption(
      new Option('--insecure', 'do not check the certificate; for development servers on other machines only').helpGroup(GROUP),
    )

/** For the HTTP API. */
export const apiKeyOption = (): Option =>
  new Option('--api-key <key>', 'key of the HTTP API; a development server on this machine needs none')
    .env(ENVIRONMENT.apiKey)
    .helpGroup(GROUP)

/** For what a client may do. */
export const tokenOption = (): Option =>
  new Option('-t, --token <token>', 'token to connect with, as made by "fusewire token"').env(ENVIRONMENT.token).helpGroup(GROUP)

/** Takes `localhost:8443` and `wss://…` for what they mean. The path of a proxy is kept, without a slash at its end. */
export const readUrl = (text: string): string => {
  const full = /^[a-z][a-z0-9+.-]*:\/\//iu.test(text) ? text : `https://${text}`
  const usual = full.replace(/^ws(s?):/iu, 'http$1:')
  const refuse = () =>
    new CommandError(`${JSON.stringify(text)} is no address of a server; write it like ${DEFAULT_URL}`, EXIT.usage)
  if (!URL.canParse(usual)) throw refuse()
  const url = new URL(usual)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse()
  return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`
}

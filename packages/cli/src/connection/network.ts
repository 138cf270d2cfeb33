import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as tls from 'node:tls'
import type { ClientOptions } from '@fusewire/client'
import { CommandError, EXIT } from '../exit-code.ts'
import type { Terminal } from '../terminal.ts'
import type { ConnectionFlags } from './connection-options.ts'
import { explainNetworkError } from './network-error.ts'

/** Where a development server that was started in the same folder keeps its certificate, without the key. */
const DEVELOPMENT_CERTIFICATE = join('.fusewire', 'development-certificate.pem')

const read = (file: string, folder: string): string => {
  const path = resolve(folder, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CommandError(`The file of --ca cannot be read: ${path} (${(cause as NodeJS.ErrnoException).code}).`, EXIT.usage, {
      cause,
    })
  }
}

/** What Node trusts by itself; asked of Node where it can tell (22.15), as NODE_EXTRA_CA_CERTS belongs to it. */
const usualAuthorities = (): readonly string[] =>
  'getCACertificates' in tls
    ? tls.getCACertificates('default')
    : (tls as { rootCertificates: readonly string[] }).rootCertificates

/** How the commands reach a server: `fetch` and `WebSocket` that trust what was asked for. */
export interface Network {
  readonly url: string
  fetch(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Answer>
  /** For the SDK's options. */
  readonly platform: Required<Pick<ClientOptions, 'fetch' | 'WebSocket'>>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly text: string
}

/**
 * Trusts what the system trusts, the file of `--ca`, and the development certificate of the current folder: whoever can read
 * that folder has started the server, or could have. `--insecure` trusts everyone.
 */
export const openNetwork = async (flags: ConnectionFlags, terminal: Terminal): Promise<Network> => {
  // Loaded here, because it takes a fifth of the time in which any other command starts.
  const { Agent, fetch, WebSocket } = await import('undici')
  const own = resolve(terminal.folder, DEVELOPMENT_CERTIFICATE)
  const extra = [
    ...(flags.ca === undefined ? [] : [read(flags.ca, terminal.folder)]),
    ...(existsSync(own) ? [readFileSync(own, 'utf8')] : []),
  ]
  if (flags.insecure) terminal.note(terminal.noteColors.yellow(`The certificate of ${flags.url} is not checked (--insecure).`))
  const dispatcher = new Agent({
    connect: {
      rejectUnauthorized: !flags.insecure,
      ...(extra.length === 0 ? {} : { ca: [...usualAuthorities(), ...extra] }),
    },
  })

  class TrustingWebSocket extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, { protocols, dispatcher })
    }
  }

  return {
    url: flags.url,
    fetch: async (path, init = {}) => {
      try {
        const response = await fetch(`${flags.url}${path}`, { ...init, dispatcher, redirect: 'error' })
        return { status: response.status, text: await response.text() }
      } catch (error) {
        throw explainNetworkError(error, flags.url)
      }
    },
    platform: {
      // undici's types and Node's own describe the same standard twice.
      fetch: (url, init) => fetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>,
      WebSocket: TrustingWebSocket,
    },
    close: () => dispatcher.destroy(),
  }
}

import type { AddressInfo } from 'node:net'
import type { CertificateFacts } from './tls/certificate-facts.ts'
import type { DevelopmentNotice } from './tls/tls-certificates.ts'

/** Where a server is to be reached. */
export interface Listening {
  /** Base URLs, TLS first: `https://localhost:8443`, `http://localhost:8080`. */
  readonly urls: readonly string[]
  readonly tls?: AddressInfo
  readonly cleartext?: AddressInfo
  /** The certificate that is being served, and, when it is the one made for development, where it is kept. */
  readonly certificate?: CertificateFacts & { readonly development?: DevelopmentNotice }
}

/** What people can type: a wildcard or loopback address is this machine's `localhost`. */
const hostOf = ({ address, family }: AddressInfo): string => {
  if (['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address)) return 'localhost'
  return family === 'IPv6' ? `[${address}]` : address
}

export const urlOf = (scheme: 'http' | 'https', address: AddressInfo): string => `${scheme}://${hostOf(address)}:${address.port}`

import { isIPv6 } from 'node:net'
import { ALPN, ECHO_PATH, PATHS } from '@fusewire/protocol'
import type { FusewireOptions, Listening } from '@fusewire/server'
import { optionWarnings, workerCount } from '@fusewire/server/configuration'
import { VERSION } from '../version.ts'

type Style = (text: string) => string

/** How parts of the banner are made to stand out. */
export interface BannerStyle {
  readonly bold: Style
  readonly dim: Style
  readonly url: Style
  readonly danger: Style
  readonly warning: Style
}

type Line = readonly [name: string, value: string]

const LABEL_WIDTH = 14

const entryPoints = ({ urls }: Listening, { transports }: FusewireOptions): Line[] =>
  urls.flatMap((url) => {
    const secure = url.startsWith('https:')
    const socketUrl = url.replace(/^http/u, 'ws')
    const webSocket = transports.some((name) => name.startsWith('websocket'))
    return [
      [secure ? 'HTTP/2, 1.1' : 'cleartext', url],
      ...(webSocket ? [['WebSocket', `${socketUrl}${PATHS.webSocket}`] as const] : []),
      ...(webSocket ? [['echo', `${socketUrl}${ECHO_PATH}`] as const] : []),
      ...(transports.includes('tcp')
        ? [['raw TCP', `${url.replace(/^https?:\/\//u, '')}${secure ? ` (TLS, ALPN ${ALPN})` : ''}`] as const]
        : []),
    ] satisfies Line[]
  })

/** The names of a certificate as people write them: without `DNS:`, and addresses in their short form. */
const namesOf = (subjectAltName: string): string =>
  subjectAltName
    .split(', ')
    .map((name) => name.replace(/^(DNS|IP Address):/u, ''))
    .map((name) => (isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name))
    .join(', ')

const certificateLines = ({ certificate }: Listening): Line[] => {
  if (!certificate) return []
  return [
    ['certificate', `for ${namesOf(certificate.names)}; valid until ${certificate.validTo.toISOString().slice(0, 10)}`],
    ['SHA-256', certificate.fingerprint],
  ]
}

/** What nobody may overlook, as plain lines. */
export const warnings = (listening: Listening, options: FusewireOptions): string[] => [
  ...(options.development ? developmentLines(options) : []),
  ...cautions(listening, options),
]

const developmentLines = ({ host }: FusewireOptions): string[] => [
  'DEVELOPMENT MODE: not for production.',
  'Everyone who can reach this server may read and publish everything, without a token.',
  `It listens on ${isIPv6(host) ? `[${host}]` : host}. Leave development out of the configuration before real users come.`,
]

/** What is as it was asked for, and may surprise. */
const cautions = (listening: Listening, options: FusewireOptions): string[] => [
  ...certificateWarning(listening),
  ...optionWarnings(options),
]

const certificateWarning = ({ certificate }: Listening): string[] =>
  certificate?.development
    ? [
        'The certificate is one that Fusewire made itself: browsers warn of it, and other machines cannot trust it.',
        `Set tlsCertFile and tlsKeyFile to use your own. To trust this one: ${certificate.development.certificateFile}`,
      ]
    : []

/** What `serve` says once it listens: where to reach it, and loudly what is not as it is in production. */
export const banner = (listening: Listening, options: FusewireOptions, style: BannerStyle): string[] => {
  const line = ([name, value]: Line): string =>
    `  ${style.dim(name.padEnd(LABEL_WIDTH))} ${/^\w+:\/\//u.test(value) ? style.url(value) : value}`
  const width = Math.max(...developmentLines(options).map((text) => text.length))
  return [
    '',
    `  ${style.bold(`Fusewire ${VERSION}`)} ${style.dim(`on Node ${process.versions.node}, process ${process.pid}`)}`,
    '',
    ...(options.development
      ? [...developmentLines(options).map((text) => `  ${style.danger(` ${text.padEnd(width)} `)}`), '']
      : []),
    ...entryPoints(listening, options).map(line),
    ...(workerCount(options) > 1 ? [line(['workers', String(workerCount(options))])] : []),
    ...certificateLines(listening).map(line),
    ...cautions(listening, options).map((text) => `  ${style.warning(text)}`),
    '',
  ]
}

import { ConfigurationError } from '../config/configuration-error.ts'

/** One entry of `allowedOrigins`. */
export type OriginPattern =
  | { readonly kind: 'any' }
  /** An origin as browsers send it. `null` is one: that of sandboxed frames and of files. */
  | { readonly kind: 'exact'; readonly origin: string }
  /** Every host below a domain; not the domain itself. */
  | { readonly kind: 'subdomains'; readonly protocol: string; readonly suffix: string; readonly port: string }

/** Schemes of pages that no web server has sent: apps in a web view, browser extensions. `URL` gives these no origin. */
const APP_ORIGIN = /^(?!(?:https?|wss?|ftp|file):)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d{1,5})?$/u

const WILDCARD_HOST = '*.'

/**
 * The parsed form of an `Origin` header, or undefined when it is not exactly what a browser sends (RFC 6454 section 6.2):
 * nothing but scheme, host and a port that is not the default one. User information, paths, a second origin and characters
 * that a parser would drop or translate all make it malformed. Upper case is read as lower case.
 */
export const parseOrigin = (origin: string): URL | undefined => {
  const text = origin.toLowerCase()
  if (!/^https?:\/\//u.test(text) || text.includes('*') || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.origin === text && !/^\.|\.\./u.test(url.hostname) ? url : undefined
}

const subdomains = (entry: string): OriginPattern | undefined => {
  const [scheme, host, ...rest] = entry.split('://')
  if (scheme === undefined || host === undefined || rest.length > 0 || !host.startsWith(WILDCARD_HOST)) return undefined
  const domain = parseOrigin(`${scheme}://${host.slice(WILDCARD_HOST.length)}`)
  // An address has no subdomains.
  if (domain === undefined || /^\[|^[\d.]+$/u.test(domain.hostname)) return undefined
  return { kind: 'subdomains', protocol: domain.protocol, suffix: `.${domain.hostname}`, port: domain.port }
}

const parse = (entry: string): OriginPattern | undefined => {
  if (entry === '*') return { kind: 'any' }
  if (entry === 'null' || APP_ORIGIN.test(entry)) return { kind: 'exact', origin: entry }
  // Kept strict about case, so that a list reads as what it matches.
  if (entry !== entry.toLowerCase()) return undefined
  const origin = parseOrigin(entry)
  return origin === undefined ? subdomains(entry) : { kind: 'exact', origin: origin.origin }
}

/** The entry that was probably meant: scheme added, path, default port and upper case removed, names in ASCII. */
const nearest = (entry: string): string | undefined => {
  const text = entry.trim().toLowerCase()
  if (/^(?:https?:\/\/)?\*(?:\.\*)*(?::\*)?\/?$/u.test(text)) return '*'
  const [, scheme = /^(?:localhost|127\.|\[::1\])/u.test(text) ? 'http' : 'https', rest = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/u.exec(text) ?? []
  // "*example.com" and ".example.com" are other tools' ways to say "*.example.com".
  const wildcard = /^(?:\*\.?|\.)(?=[^.*])/u.test(rest)
  const host = wildcard ? rest.replace(/^[*.]+/u, '') : rest
  const url = `${/^(?:https?|wss?)$/u.test(scheme) ? scheme.replace('ws', 'http') : 'https'}://${host}`
  if (/[*@]/u.test(host) || !URL.canParse(url)) return undefined
  const { protocol, host: name } = new URL(url)
  const meant = `${protocol}//${wildcard ? WILDCARD_HOST : ''}${name}`
  return parse(meant) === undefined ? undefined : meant
}

/** Says what is wrong with an entry of `allowedOrigins`, and what to write; undefined when it is right. */
export const originProblem = (entry: string): string | undefined => {
  if (parse(entry) !== undefined) return undefined
  const meant = nearest(entry) ?? 'something like https://app.example.com or https://*.example.com'
  return `an origin is a scheme and a host, with a port where it is not the usual one: write ${meant}, not ${JSON.stringify(entry)}`
}

/** @throws {@link ConfigurationError} with the nearest correct form. */
export const parseOriginPattern = (entry: string, index: number): OriginPattern => {
  const pattern = parse(entry)
  if (pattern !== undefined) return pattern
  throw new ConfigurationError([{ option: `allowedOrigins[${index}]`, message: originProblem(entry) ?? 'not an origin' }])
}

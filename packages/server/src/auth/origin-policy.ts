import { isLoopbackName } from './loopback.ts'
import { type OriginPattern, parseOrigin, parseOriginPattern } from './origin-pattern.ts'

/** The host name of a `Host` or `:authority` header, in the form in which an origin carries it. */
const hostNameOf = (host: string): string | undefined =>
  /[/\\?#@%\s]/u.test(host) ? undefined : URL.parse(`http://${host}`)?.hostname

/**
 * Which web pages may talk to this server. Browsers let every page open a WebSocket to every server, so the server has to
 * look at who asks; programs that are no browsers send no `Origin`, and are held by tokens alone.
 */
export class OriginPolicy {
  readonly #loopback: boolean
  readonly #any: boolean
  readonly #exact: ReadonlySet<string>
  readonly #subdomains: readonly Extract<OriginPattern, { kind: 'subdomains' }>[]
  /** The last `Host` that a request without an origin was taken with: nearly all name the same, and to read it costs more than the rest. */
  #takenHost: string | undefined

  /**
   * Entries: an origin (`https://app.example.com`), every host below a domain (`https://*.example.com`), `null`, or `*` for
   * every origin except `null`.
   *
   * `loopback`: the server is for this machine alone (development). Its own pages are then those at any loopback name, so that
   * a page at localhost:5173 may talk to 127.0.0.1:8443, and no others: a page whose name was pointed at 127.0.0.1 (DNS
   * rebinding) would pass for one otherwise.
   * @throws {@link ConfigurationError} for a malformed entry, with the nearest correct form.
   */
  constructor(allowedOrigins: readonly string[] = [], { loopback = false }: { readonly loopback?: boolean } = {}) {
    this.#loopback = loopback
    const patterns = allowedOrigins.map(parseOriginPattern)
    this.#any = patterns.some(({ kind }) => kind === 'any')
    this.#exact = new Set(patterns.flatMap((pattern) => (pattern.kind === 'exact' ? [pattern.origin] : [])))
    this.#subdomains = patterns.filter((pattern) => pattern.kind === 'subdomains')
  }

  /** `origin` and `host` are the request's headers as they came; `host` is `:authority` on HTTP/2. */
  isAllowed(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return this.#isAllowedWithoutOrigin(host)
    if (this.#exact.has(origin)) return true
    if (origin === 'null') return false
    if (this.#any) return true
    const url = parseOrigin(origin)
    if (url === undefined) return false
    if (this.#isOwn(url.hostname, host)) return true
    if (this.#exact.has(url.origin)) return true
    return this.#subdomains.some(
      ({ protocol, suffix, port }) => url.protocol === protocol && url.port === port && isBelow(url.hostname, suffix),
    )
  }

  /**
   * Whether to take a request without an origin. Browsers send none with a GET of the page's own origin, and for them a page whose name
   * was pointed at this machine is of its origin; the name that it is asked by gives it away.
   */
  #isAllowedWithoutOrigin(host: string | undefined): boolean {
    if (!this.#loopback || host === undefined || host === this.#takenHost) return true
    const asked = hostNameOf(host)
    const isTaken =
      (asked !== undefined && isLoopbackName(asked)) ||
      this.isAllowed(`https://${host}`, host) ||
      this.isAllowed(`http://${host}`, host)
    if (isTaken) this.#takenHost = host
    return isTaken
  }

  /** Whether a page of this host is the server's own, on whatever port. */
  #isOwn(page: string, host: string | undefined): boolean {
    const asked = host === undefined ? undefined : hostNameOf(host)
    if (asked === undefined) return false
    return this.#loopback ? isLoopbackName(page) && isLoopbackName(asked) : page === asked
  }
}

/** Whether there is a name, and no empty label, before the suffix. */
const isBelow = (hostname: string, suffix: string): boolean =>
  hostname.endsWith(suffix) && /^[^.]+(?:\.[^.]+)*$/u.test(hostname.slice(0, -suffix.length))

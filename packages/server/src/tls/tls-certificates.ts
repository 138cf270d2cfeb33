import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls'
import { ConfigurationError } from '../config/configuration-error.ts'
import { readOptionFile } from '../config/read-option-file.ts'
import { type CertificateFacts, certificateFacts } from './certificate-facts.ts'
import { type CertificatePair, parseCertificates, readPair } from './certificate-pair.ts'
import { cipherPolicy, type TlsVersion } from './cipher-policy.ts'
import { developmentCertificate } from './development-certificate.ts'
import { TICKET_KEY_ROTATION_MS, TICKET_KEYS_BYTES, TicketSecret } from './ticket-secret.ts'
import { watchFiles } from './watch-files.ts'

/** The server's options of the same names, and what to do when the files change. */
export interface TlsCertificatesOptions {
  /** PEM chain, the server's own certificate first. Without it a development certificate is made and kept. */
  readonly tlsCertFile?: string
  readonly tlsKeyFile?: string
  /** PEM of the authorities whose clients may connect. When given, a client without a certificate of theirs is refused. */
  readonly tlsClientCaFile?: string
  /** Default `TLSv1.2`. */
  readonly tlsMinVersion?: TlsVersion
  /** Where the development certificate is kept. Default `.fusewire`. */
  readonly certificateDir?: string
  /** How long files must have been quiet before they are read again. Default 200. */
  readonly debounceMs?: number
  /** How often files are read again where the file system tells nothing. Default 30,000. */
  readonly pollMs?: number
  /** How often the keys of session tickets change, where they are made from no given secret. Default 43,200,000 (12 hours). */
  readonly ticketKeyRotationMs?: number
  /** What the keys of session tickets are made from, so that other processes make the same. Default: one of its own. */
  readonly ticketSecret?: TicketSecret | undefined
  /** A new certificate is being served. */
  readonly onReload?: (facts: CertificateFacts) => void
  /** New files cannot be used; the old certificate goes on being served. */
  readonly onReloadError?: (error: ConfigurationError) => void
}

/** `refused`: the files are wrong, {@link TlsCertificatesOptions.onReloadError} says how. */
export type ReloadOutcome = 'reloaded' | 'unchanged' | 'refused'

/** For those who start the server with the development certificate. */
export interface DevelopmentNotice {
  /** True when it has just been made. */
  readonly created: boolean
  /** The certificate without its key, for `curl --cacert` and for a trust store. */
  readonly certificateFile: string
}

interface Loaded {
  readonly pair: CertificatePair
  readonly clientCa: string | undefined
  readonly development: DevelopmentNotice | undefined
  /** Changes when anything of the above does. */
  readonly digest: string
}

const load = async (options: TlsCertificatesOptions): Promise<Loaded> => {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile, certificateDir = '.fusewire' } = options
  if (tlsCertFile !== undefined && tlsKeyFile === undefined)
    throw new ConfigurationError([{ option: 'tlsCertFile', message: 'a certificate without its key: set tlsKeyFile too' }])
  if (tlsKeyFile !== undefined && tlsCertFile === undefined)
    throw new ConfigurationError([{ option: 'tlsKeyFile', message: 'a key without its certificate: set tlsCertFile too' }])
  const made =
    tlsCertFile === undefined || tlsKeyFile === undefined ? await developmentCertificate(certificateDir, Date.now()) : undefined
  const pair = made?.pair ?? readPair(tlsCertFile ?? '', tlsKeyFile ?? '', Date.now())
  const clientCa = tlsClientCaFile === undefined ? undefined : readOptionFile(tlsClientCaFile, 'tlsClientCaFile')
  if (clientCa !== undefined) parseCertificates(clientCa, 'tlsClientCaFile', tlsClientCaFile ?? '')
  const digest = createHash('sha256')
    .update(JSON.stringify([pair.cert, pair.key, clientCa]))
    .digest('hex')
  return { pair, clientCa, development: made && { created: made.created, certificateFile: made.certificateFile }, digest }
}

/** So that files are found again after the process has changed its folder. */
const absolutePaths = (options: TlsCertificatesOptions): Partial<TlsCertificatesOptions> =>
  Object.fromEntries(
    (['tlsCertFile', 'tlsKeyFile', 'tlsClientCaFile', 'certificateDir'] as const).flatMap((name) => {
      const path = options[name]
      return path === undefined ? [] : [[name, resolve(path)]]
    }),
  )

const watchedFiles = ({
  tlsCertFile,
  tlsKeyFile,
  tlsClientCaFile,
  certificateDir = '.fusewire',
}: TlsCertificatesOptions): string[] => {
  const own =
    tlsCertFile !== undefined && tlsKeyFile !== undefined ? [tlsCertFile, tlsKeyFile] : [join(certificateDir, 'development.pem')]
  return tlsClientCaFile === undefined ? own : [...own, tlsClientCaFile]
}

/** The certificate of the server, kept up to date while it runs: new connections get the new one, old ones live on. */
export class TlsCertificates {
  readonly #options: TlsCertificatesOptions
  readonly #policy: SecureContextOptions
  readonly #servers = new Set<Server>()
  readonly #stopWatching: () => void
  readonly #ticketSecret: TicketSecret
  /** One buffer for all that there will be: each server keeps the one that it was given, and keys that are over must be nowhere. */
  readonly #ticketKeys = Buffer.alloc(TICKET_KEYS_BYTES)
  #ticketTimer: NodeJS.Timeout
  #loaded: Loaded
  #facts: CertificateFacts
  #lastReload: Promise<unknown> = Promise.resolve()
  #lastRefusal = ''
  #closed = false

  private constructor(options: TlsCertificatesOptions, loaded: Loaded) {
    this.#options = options
    this.#policy = cipherPolicy(options.tlsMinVersion ?? 'TLSv1.2')
    this.#loaded = loaded
    this.#facts = certificateFacts(loaded.pair.certificate)
    const { debounceMs = 200, pollMs = 30_000, ticketKeyRotationMs = TICKET_KEY_ROTATION_MS, ticketSecret } = options
    this.#stopWatching = watchFiles({
      paths: watchedFiles(options),
      debounceMs,
      pollMs,
      onChange: () => void this.#reload(false),
    })
    this.#ticketSecret = ticketSecret ?? new TicketSecret(ticketKeyRotationMs, Date.now())
    this.#ticketTimer = this.#rotateInTime()
  }

  /**
   * Reads the certificate, or makes the development one.
   * @throws {@link ConfigurationError} for files that are missing, unreadable, damaged, expired, or do not fit each other.
   */
  static async open(options: TlsCertificatesOptions): Promise<TlsCertificates> {
    const resolved = { ...options, ...absolutePaths(options) }
    return new TlsCertificates(resolved, await load(resolved))
  }

  /** The certificate that new connections get. */
  get facts(): CertificateFacts {
    return this.#facts
  }

  /** Present when there is no certificate but the one made for development: to be said loudly. */
  get development(): DevelopmentNotice | undefined {
    return this.#loaded.development
  }

  /** Options for `tls.createServer` and its kin; the server is then to be handed to {@link TlsCertificates.attach}. */
  serverOptions(alpnProtocols: readonly string[]): TlsOptions {
    const mutual = this.#loaded.clientCa !== undefined
    return {
      ...this.#contextOptions(),
      ALPNProtocols: [...alpnProtocols],
      ...(mutual && { requestCert: true, rejectUnauthorized: true }),
    }
  }

  /** Gives the server every later certificate, until the returned function is called or the server closes. */
  attach(server: Server): () => void {
    const detach = () => this.#servers.delete(server)
    this.#servers.add(server)
    // What was loaded between serverOptions() and now.
    server.setSecureContext(this.#contextOptions())
    server.once('close', detach)
    return () => {
      server.removeListener('close', detach)
      detach()
    }
  }

  /** Reads the files again now. Never rejects: files that cannot be used change nothing and are reported. */
  reload(): Promise<ReloadOutcome> {
    return this.#reload(true)
  }

  /** Stops watching; servers go on with the certificate that they have. */
  close(): void {
    this.#closed = true
    this.#stopWatching()
    clearTimeout(this.#ticketTimer)
    this.#servers.clear()
  }

  /** One at a time and in order: the last one started has the last word. */
  #reload(asked: boolean): Promise<ReloadOutcome> {
    const next = () => this.#reloadNow(asked)
    const outcome = this.#lastReload.then(next, next)
    this.#lastReload = outcome
    return outcome
  }

  async #reloadNow(asked: boolean): Promise<ReloadOutcome> {
    if (this.#closed) return 'unchanged'
    let loaded: Loaded
    try {
      loaded = await load(this.#options)
    } catch (error) {
      this.#refuse(error, asked)
      return 'refused'
    }
    this.#lastRefusal = ''
    if (this.#closed || loaded.digest === this.#loaded.digest) return 'unchanged'
    this.#loaded = loaded
    this.#facts = certificateFacts(loaded.pair.certificate)
    for (const server of this.#servers) server.setSecureContext(this.#contextOptions())
    this.#options.onReload?.(this.#facts)
    return 'reloaded'
  }

  /** The poll meets the same wrong files again and again; they are reported once. */
  #refuse(error: unknown, asked: boolean): void {
    const problem = error instanceof ConfigurationError ? error : new ConfigurationError(String(error), { cause: error })
    if (!asked && problem.message === this.#lastRefusal) return
    this.#lastRefusal = problem.message
    this.#options.onReloadError?.(problem)
  }

  #contextOptions(): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
    const { pair, clientCa } = this.#loaded
    const authorities = clientCa !== undefined && { ca: clientCa }
    return { ...this.#policy, cert: pair.cert, key: pair.key, ...authorities, ticketKeys: this.#makeTicketKeys() }
  }

  /**
   * Others with each reload: a ticket from before must not let a client in whose authority has just been taken off the list. And others
   * in time: in TLS 1.2 a ticket key that leaks opens every session that it has resumed.
   */
  #makeTicketKeys(): Buffer {
    const keys = this.#ticketSecret.keys(Date.now(), this.#loaded.digest)
    this.#ticketKeys.set(keys)
    keys.fill(0)
    return this.#ticketKeys
  }

  #rotateInTime(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#ticketTimer = this.#rotateInTime()
      for (const server of this.#servers) server.setTicketKeys(this.#makeTicketKeys())
    }, this.#ticketSecret.lastsMs(Date.now())).unref()
  }
}

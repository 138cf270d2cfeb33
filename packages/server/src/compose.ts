import type { AddressInfo } from 'node:net'
import {
  type ChannelRule,
  DEFAULT_RULE,
  DEVELOPMENT_RULE,
  Engine,
  type Log,
  MemoryBroker,
  MemoryPresence,
  MemoryRevocations,
  RpcRouter,
  RuleBook,
} from '@fusewire/engine'
import { FusewireError, PROTOCOL_VERSION } from '@fusewire/protocol'
import { createApi, type HttpHandler } from './api/create-api.ts'
import { ApiKeys } from './auth/api-keys.ts'
import { createAuthenticator } from './auth/create-authenticator.ts'
import { OriginPolicy } from './auth/origin-policy.ts'
import type { FusewireOptions } from './config/options.ts'
import { type CreatedHooks, createHooks } from './hooks/create-hooks.ts'
import { Listener } from './listener/listener.ts'
import { type Listening, urlOf } from './listening.ts'
import type { SecurityLog } from './log/security-log.ts'
import { createMetrics } from './metrics/create-metrics.ts'
import { nodeEnvironment } from './node-environment.ts'
import { TlsCertificates } from './tls/tls-certificates.ts'
import { FlushScheduler } from './transports/flush-scheduler.ts'
import { createHttpTransports, type HttpTransports } from './transports/http/http-transports.ts'
import { createTcpTransport } from './transports/tcp/tcp-transport.ts'
import { createTraffic } from './transports/traffic.ts'
import type { TransportContext } from './transports/transport-context.ts'
import { createWebSocketTransport } from './transports/websocket/websocket-transport.ts'
import { VERSION } from './version.ts'

/** How often the engine's clock is turned: heartbeats and TTLs are late by this much at most. */
const TICK_MS = 250

/** The part of a node that needs no port: engine, broker, rules and handlers. */
export interface Core {
  readonly engine: Engine
  readonly broker: MemoryBroker
  readonly revocations: MemoryRevocations
  readonly rules: RuleBook
  readonly rpc: RpcRouter
  /** What the application decides and hears. */
  readonly application: CreatedHooks
  readonly security: SecurityLog
  /** Identifier of this process. */
  readonly node: string
}

export const composeCore = (options: FusewireOptions, security: SecurityLog): Core => {
  const { log } = security
  const node = nodeEnvironment.id()
  const rules = new RuleBook(options.development ? DEVELOPMENT_RULE : DEFAULT_RULE)
  for (const { pattern, ...rule } of options.rules) rules.add(pattern, rule satisfies ChannelRule)
  const rpc = new RpcRouter()
  const application = createHooks(options, VERSION, log)
  const broker = new MemoryBroker(nodeEnvironment, { idempotencyTtlMs: options.idempotencyTtlMs })
  const revocations = new MemoryRevocations(nodeEnvironment, options)
  const engine = new Engine({
    revocations,
    broker,
    presence: new MemoryPresence(),
    authenticator: createAuthenticator({
      ...options,
      hasConnectHook: () => application.hooks.takes('connect'),
      onKeysUnavailable: (error) => log('keys_unavailable', { error }),
    }),
    environment: nodeEnvironment,
    rules,
    rpc,
    hooks: application.hooks,
    limits: options,
    log,
    node: { node, version: VERSION, ...(options.development && { development: true }) },
  })
  return { engine, broker, revocations, rules, rpc, application, security, node }
}

/** A node that listens. */
export interface Server {
  readonly listening: Listening
  /** Reads the certificate files again; the old certificate goes on being served when they cannot be used. */
  reloadCertificates(): Promise<void>
  /** Tells clients to come back later, and ends after what is under way, `drainTimeoutMs` at most. */
  close(): Promise<void>
}

/** Opens the port, with everything behind it. `handler` gets the HTTP requests that are not the server's own. */
export const composeServer = async (
  options: FusewireOptions,
  core: Core,
  log: Log,
  handler: HttpHandler | undefined,
): Promise<Server> => {
  const { engine } = core
  const startedAt = Date.now()
  let ready = false
  // First what can be wrong in a configuration, so that nothing is left behind when it is.
  const certificates = options.tls
    ? await TlsCertificates.open({
        ...options,
        onReload: ({ fingerprint, validTo }) => log('certificate_reloaded', { fingerprint, validTo }),
        onReloadError: (error) => log('certificate_refused', { error }),
      })
    : undefined
  await engine.start()

  const traffic = createTraffic()
  // Development is open to everyone on this machine, and to no page that its user happens to visit.
  const origins = new OriginPolicy(options.allowedOrigins, {
    loopback: options.development && !options.developmentOnAllInterfaces,
  })
  const context: TransportContext = {
    open: (connection) => engine.open(connection),
    scheduler: new FlushScheduler(),
    traffic,
    limits: options,
    isOriginAllowed: (origin, host) => origins.isAllowed(origin, host),
    log,
  }
  const httpTransports = createHttpTransports(context, {
    node: core.node,
    transports: options.transports,
    keepAliveIntervalMs: options.pingIntervalMs,
  })
  const webSockets = createWebSocketTransport(context, options)
  const api = await createApi({
    application: engine,
    keys: new ApiKeys(options.apiKeys),
    openToLoopback: options.development,
    limits: options,
    info: () => {
      const { connections, sessions, subscriptions, channels } = engine.stats()
      const counts = { connections, sessions, subscriptions, channels }
      return {
        node: core.node,
        version: VERSION,
        protocolVersion: PROTOCOL_VERSION,
        development: options.development,
        startedAt,
        ...counts,
      }
    },
    readiness: () => (ready ? [] : [new FusewireError('server_draining')]),
    ...(options.metrics && {
      metrics: createMetrics({
        stats: () => engine.stats(),
        hooks: core.application.snapshot,
        securityEvents: () => core.security.counts,
        traffic,
        version: VERSION,
        node: core.node,
      }),
    }),
    ...(handler && { fallback: handler }),
    log,
  })

  const listener = new Listener({
    handlers: {
      request: (request, response) => {
        if (!httpTransports.handle(request, response)) api.handler(request, response)
      },
      ...(options.transports.includes('websocket') && {
        upgrade: (request, socket, head) => webSockets.upgrade(request, socket, head),
      }),
      ...(options.transports.includes('websocket-h2') && {
        connectStream: (stream, headers) => webSockets.connectStream(stream, headers),
      }),
      ...(options.transports.includes('tcp') && { rawTcp: createTcpTransport(context) }),
    },
    ...(certificates && { tls: certificates }),
    limits: options,
    log,
  })

  const timer = startClock(core, httpTransports)
  const release = async (graceMs: number): Promise<void> => {
    ready = false
    clearInterval(timer)
    try {
      await engine.close()
    } finally {
      httpTransports.close()
      webSockets.close()
      await Promise.all([listener.close(graceMs), core.application.close(graceMs)])
      await api.close()
      certificates?.close()
    }
  }
  try {
    const listening = await listen(options, listener, certificates)
    ready = true
    return {
      listening,
      reloadCertificates: async () => {
        await certificates?.reload()
      },
      close: () => release(options.drainTimeoutMs),
    }
  } catch (error) {
    await release(0)
    throw error
  }
}

const startClock = ({ engine, broker, revocations }: Core, httpTransports: HttpTransports): NodeJS.Timeout => {
  let ticks = 0
  return setInterval(() => {
    engine.tick()
    if (++ticks % (1000 / TICK_MS) !== 0) return
    broker.sweep()
    revocations.sweep()
    httpTransports.tick(Date.now())
  }, TICK_MS)
}

const listen = async (
  { host, port, cleartextPort }: FusewireOptions,
  listener: Listener,
  certificates: TlsCertificates | undefined,
): Promise<Listening> => {
  const tls: AddressInfo | undefined = certificates && (await listener.listenTls({ host, port }))
  const cleartext =
    cleartextPort === undefined
      ? undefined
      : await listener.listenCleartext({ host, port: cleartextPort, portOption: 'cleartextPort' })
  return {
    urls: [...(tls ? [urlOf('https', tls)] : []), ...(cleartext ? [urlOf('http', cleartext)] : [])],
    ...(tls && { tls }),
    ...(cleartext && { cleartext }),
    ...(certificates && {
      certificate: { ...certificates.facts, ...(certificates.development && { development: certificates.development }) },
    }),
  }
}

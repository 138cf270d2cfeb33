import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Log } from '@fusewire/engine'
import { FusewireError, PROTOCOL_VERSION } from '@fusewire/protocol'
import { AddressRate } from './addresses/address-rate.ts'
import { createApi, type HttpHandler } from './api/create-api.ts'
import { type DrainAnswer, drainAnswer, type KnownNode } from './api/schemas/answers.ts'
import { ApiKeys } from './auth/api-keys.ts'
import { OriginPolicy } from './auth/origin-policy.ts'
import { RequestForwarder } from './cluster/request-forwarder.ts'
import type { Core } from './compose-core.ts'
import type { FusewireOptions } from './config/options.ts'
import { Drain } from './draining/drain.ts'
import { isToMove } from './draining/is-to-move.ts'
import { dismiss } from './listener/dismiss.ts'
import { Listener } from './listener/listener.ts'
import { type Listening, urlOf } from './listening.ts'
import { createMetrics, type Metrics } from './metrics/create-metrics.ts'
import type { MetricsSource } from './metrics/server-series.ts'
import { Refusals } from './refusals.ts'
import { TlsCertificates } from './tls/tls-certificates.ts'
import { FlushScheduler } from './transports/flush-scheduler.ts'
import { createHttpTransports, type HttpTransports } from './transports/http/http-transports.ts'
import { StreamScheduler } from './transports/stream-scheduler.ts'
import { createTcpTransport } from './transports/tcp/tcp-transport.ts'
import { createTraffic } from './transports/traffic.ts'
import type { TransportContext } from './transports/transport-context.ts'
import { createWebSocketTransport } from './transports/websocket/websocket-transport.ts'
import { VERSION } from './version.ts'
import type { WorkerRole } from './workers/worker-role.ts'

/** How often the engine's clock is turned: heartbeats and TTLs are late by this much at most. */
const TICK_MS = 250
/** The same while clients are told to move, so that few are told at a time. */
const DRAIN_TICK_MS = 50
/** How long a poll waits for messages. */
const POLL_TIMEOUT_MS = 25_000
/** How long another node may take to say that it leaves. */
const DRAIN_CALL_TIMEOUT_MS = 3000

/** A node that listens. */
export interface Server {
  readonly listening: Listening
  /** Reads the certificate files again; the old certificate goes on being served when they cannot be used. */
  reloadCertificates(): Promise<void>
  /** Its way from serving to closed. */
  readonly drain: Drain
}

/**
 * Opens the port, with everything behind it. `handler` gets the HTTP requests that are not the server's own; with a `role` the port is
 * shared with other workers.
 */
export const composeServer = async (
  options: FusewireOptions,
  core: Core,
  log: Log,
  handler: HttpHandler | undefined,
  role: WorkerRole | undefined,
): Promise<Server> => {
  const { engine, cluster, commands } = core
  const startedAt = Date.now()
  let listens = false
  // First what can be wrong in a configuration, so that nothing is left behind when it is.
  const certificates = options.tls
    ? await TlsCertificates.open({
        ...options,
        ticketSecret: role?.ticketSecret,
        onReload: ({ fingerprint, validTo }) => log('certificate_reloaded', { fingerprint, validTo }),
        onReloadError: (error) => log('certificate_refused', { error }),
      })
    : undefined
  try {
    await core.backend.open?.()
    await engine.start()
  } catch (error) {
    certificates?.close()
    await core.backend.close?.()
    throw error
  }

  const forAll = (source: MetricsSource): Metrics => {
    const own = createMetrics(source)
    return role?.gather(own) ?? own
  }
  const traffic = createTraffic()
  const refusals = new Refusals(log)
  // Development is open to everyone on this machine, and to no page that its user happens to visit.
  const origins = new OriginPolicy(options.allowedOrigins, {
    loopback: options.development && !options.developmentOnAllInterfaces,
  })
  const scheduler = new FlushScheduler()
  const context: TransportContext = {
    open: (connection) => engine.open(connection),
    scheduler,
    streams: new StreamScheduler(scheduler),
    traffic,
    limits: options,
    clientAddress: (socketAddress, forwardedFor) => core.proxies.clientAddress(socketAddress, forwardedFor),
    isOriginAllowed: (origin, host) => origins.isAllowed(origin, host),
    log,
  }
  const reads = new AddressRate(options.stateReadsPerSecondPerAddress, (address) => core.proxies.limitedGroup(address))
  const others = cluster && new RequestForwarder(cluster, { pollTimeoutMs: POLL_TIMEOUT_MS })
  const httpTransports = createHttpTransports(context, {
    node: core.node,
    others,
    pollTimeoutMs: POLL_TIMEOUT_MS,
    transports: options.transports,
    keepAliveIntervalMs: options.pingIntervalMs,
  })
  others?.serve(httpTransports.owner)
  const webSockets = createWebSocketTransport(context, options)
  const self = (): KnownNode => {
    const { connections, sessions, subscriptions, channels } = engine.stats()
    const state = drain.state === 'serving' ? 'serving' : 'draining'
    const counts = { connections, sessions, subscriptions, channels }
    const place = { host: hostname(), ...(role && { worker: role.worker }) }
    return { node: core.node, version: VERSION, state, startedAt, ...place, ...counts }
  }
  const leave = (): DrainAnswer => {
    const { connections } = engine.stats()
    void drain.begin()
    const { drainDelayMs: delayMs, drainWindowMs: windowMs, drainTimeoutMs: timeoutMs } = options
    return { node: core.node, connections, delayMs, windowMs, timeoutMs }
  }
  cluster?.handle('drain', leave)
  const api = await createApi({
    application: commands,
    drain: async (node) => {
      if (node === undefined && role) {
        // Who names no node means the server, with all its workers.
        role.drainAll()
        return { ...leave(), workers: role.workers }
      }
      if (node === undefined || node === core.node) return leave()
      const whereabouts = cluster?.whereabouts(node) ?? 'gone'
      if (whereabouts === 'unsure') throw new FusewireError('broker_unavailable', 'other nodes cannot be reached now')
      if (!cluster || whereabouts === 'gone') throw new FusewireError('not_found', 'there is no such node')
      return drainAnswer.parse(await cluster.ask(node, 'drain', null, { timeoutMs: DRAIN_CALL_TIMEOUT_MS }))
    },
    keys: new ApiKeys(options.apiKeys),
    openToLoopback: options.development,
    isOriginAllowed: context.isOriginAllowed,
    clientAddress: ({ socket, headers }) => context.clientAddress(socket.remoteAddress, headers['x-forwarded-for']),
    admitReader: (address) => {
      const retryAfterMs = reads.take(address, Date.now())
      if (retryAfterMs === 0) return
      refusals.report('stateReadsPerSecondPerAddress', address, Date.now())
      throw new FusewireError('rate_limited', 'more than stateReadsPerSecondPerAddress allows', { retryAfterMs })
    },
    limits: options,
    info: () => {
      const own = self()
      const nodes = [own, ...(cluster?.others ?? [])]
      return { ...own, protocolVersion: PROTOCOL_VERSION, development: options.development, nodes }
    },
    readiness: () => {
      const problem = core.backend.problem()
      return [
        ...(listens && drain.state === 'serving' ? [] : [new FusewireError('server_draining')]),
        ...(problem ? [problem] : []),
      ]
    },
    ...(options.metrics && {
      metrics: forAll({
        stats: () => engine.stats(),
        hooks: core.application.snapshot,
        securityEvents: () => core.security.counts,
        isDraining: () => drain.state !== 'serving',
        traffic,
        broker: core.backend.stats,
        ...(cluster && {
          cluster: {
            stats: cluster.stats,
            nodes: () => cluster.others.length + 1,
            takenFromOthers: httpTransports.takenFromOthers,
          },
        }),
        ...(core.backend.snapshots && { snapshots: core.backend.snapshots }),
        refusals: refusals.counts,
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
        if (httpTransports.handle(request, response)) return
        if (drain.state === 'moving' && isToMove(request)) dismiss(response)
        api.handler(request, response)
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
    refusals,
    addressGroup: (address) => core.proxies.limitedGroup(address),
    log,
  })

  const timer = startClock(core, httpTransports, reads)
  let drainTimer: NodeJS.Timeout | undefined
  const tellThoseDue = (): void => {
    engine.tick()
    if (engine.staying === 0) drain.left()
  }
  const drain: Drain = new Drain(options, {
    stop: () => listener.stop(),
    move: (windowMs) => {
      engine.drain(windowMs)
      drainTimer = setInterval(tellThoseDue, DRAIN_TICK_MS)
      tellThoseDue()
    },
    end: () => {
      engine.drain(0)
      webSockets.close()
      drainTimer ??= setInterval(tellThoseDue, DRAIN_TICK_MS)
      return listener.leave()
    },
    cut: () => {
      engine.disconnectAll()
      // What they have been told leaves first.
      setImmediate(() => listener.cut())
    },
    release: async (leftMs) => {
      clearInterval(timer)
      clearInterval(drainTimer)
      httpTransports.close()
      certificates?.close()
      await api.close()
      // It says goodbye when no request of its connections can be answered any more.
      await cluster?.close().catch((error: unknown) => log('bus_close_failed', { error }))
      try {
        // The broker after everyone who publishes: what has been acknowledged until now is in it.
        await engine.close()
      } finally {
        await core.backend.close?.()
        await core.application.close(leftMs)
      }
    },
    changed: (state) => {
      log('drain', { state, connections: engine.stats().connections })
      if (state !== 'closed') cluster?.announce()
    },
  })
  try {
    await cluster?.start(self)
    const listening = await listen(options, listener, certificates, role !== undefined)
    listens = true
    return {
      listening,
      reloadCertificates: async () => {
        await certificates?.reload()
      },
      drain,
    }
  } catch (error) {
    const closed = drain.close()
    listener.cut()
    await closed
    throw error
  }
}

const startClock = ({ engine, backend, cluster }: Core, httpTransports: HttpTransports, reads: AddressRate): NodeJS.Timeout => {
  let ticks = 0
  return setInterval(() => {
    engine.tick()
    cluster?.tick(performance.now())
    if (++ticks % (1000 / TICK_MS) !== 0) return
    backend.sweep()
    httpTransports.tick(Date.now())
    reads.sweep(Date.now())
  }, TICK_MS)
}

const listen = async (
  { host, port, cleartextPort }: FusewireOptions,
  listener: Listener,
  certificates: TlsCertificates | undefined,
  isShared: boolean,
): Promise<Listening> => {
  const tls: AddressInfo | undefined = certificates && (await listener.listenTls({ host, port, isShared }))
  const cleartext =
    cleartextPort === undefined
      ? undefined
      : await listener.listenCleartext({ host, port: cleartextPort, portOption: 'cleartextPort', isShared })
  return {
    urls: [...(tls ? [urlOf('https', tls)] : []), ...(cleartext ? [urlOf('http', cleartext)] : [])],
    ...(tls && { tls }),
    ...(cleartext && { cleartext }),
    ...(certificates && {
      certificate: { ...certificates.facts, ...(certificates.development && { development: certificates.development }) },
    }),
  }
}

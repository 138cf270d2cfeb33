import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Log } from '@fusewire/engine'
import { AddressRate } from './addresses/address-rate.ts'
import type { HttpHandler } from './api/create-api.ts'
import type { KnownNode } from './api/schemas/answers.ts'
import { OriginPolicy } from './auth/origin-policy.ts'
import { RequestForwarder } from './cluster/request-forwarder.ts'
import { composeApi } from './compose-api.ts'
import type { Core } from './compose-core.ts'
import type { FusewireOptions } from './config/options.ts'
import { Drain } from './draining/drain.ts'
import { isToMove } from './draining/is-to-move.ts'
import { dismiss } from './listener/dismiss.ts'
import { Listener } from './listener/listener.ts'
import { type Listening, urlOf } from './listening.ts'
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
  const { engine, cluster } = core
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
    traffic: createTraffic(),
    limits: options,
    clientAddress: (socketAddress, forwardedFor) => core.proxies.clientAddress(socketAddress, forwardedFor),
    isOriginAllowed: (origin, host) => origins.isAllowed(origin, host),
    log,
  }
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
  const reads = new AddressRate(options.stateReadsPerSecondPerAddress, (address) => core.proxies.limitedGroup(address))
  const api = await composeApi(options, core, role, {
    context,
    refusals,
    reads,
    takenFromOthers: httpTransports.takenFromOthers,
    self,
    isListening: () => listens,
    drain: () => drain,
    handler,
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
      // Where nobody has been let in, nobody leaves.
      if (listens) log('drain', { state, connections: engine.stats().connections })
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

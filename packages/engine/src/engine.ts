import { FusewireError, type Member } from '@fusewire/protocol'
import { assertAllowed, assertKeepsState, CapabilitySet } from './access.ts'
import { assertChannelName } from './channel-name.ts'
import { Connections } from './connections.ts'
import { createParts, type EngineParts, type EnginePorts } from './engine-parts.ts'
import { applicationKey } from './idempotency-key.ts'
import { compilePattern } from './pattern.ts'
import type { Awaitable, ChannelState, HistoryPage, HistoryQuery, PublicationDraft, Published } from './ports/broker.ts'
import type { Connection } from './ports/connection.ts'
import type { Peer } from './ports/peer.ts'
import type { PublishRequest } from './publisher.ts'
import type { RevocationTarget, RevokeOptions } from './revoker.ts'
import type { RpcCaller } from './rpc-router.ts'
import type { Target } from './sessions.ts'
import type { EngineStats } from './stats.ts'

/** Sessions, channels and the way between them: everything but bytes, sockets and time. */
export class Engine {
  readonly #ports: EnginePorts
  readonly #parts: EngineParts
  readonly #connections: Connections

  constructor(ports: EnginePorts) {
    this.#ports = ports
    this.#parts = createParts(ports)
    this.#connections = new Connections(this.#parts, ports)
  }

  /** Begins to listen to the broker and to revocations. To be awaited before the first connection. */
  async start(): Promise<void> {
    await this.#ports.broker.start(this.#parts.hub)
    await this.#parts.shared?.start()
    await this.#ports.revocations.start(this.#parts.revoker)
  }

  /** Takes a new connection. */
  open(connection: Connection): Peer {
    return this.#connections.open(connection)
  }

  /** Turns the clock: heartbeats, TTLs and token ends. To be called several times a second. */
  tick(): void {
    const now = this.#ports.environment.now()
    this.#connections.tick(now)
    this.#parts.wheel.advance(now)
    this.#parts.shared?.tick()
  }

  publish(channel: string, draft: PublicationDraft, options: PublishRequest = {}): Awaitable<Published> {
    assertChannelName(channel)
    const { idempotencyKey: key } = options
    return this.#parts.publisher.publish(channel, draft, {
      ...options,
      ...(key !== undefined && { idempotencyKey: applicationKey(key) }),
    })
  }

  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage> {
    assertChannelName(channel)
    return this.#ports.broker.history(channel, query)
  }

  clearHistory(channel: string): Awaitable<void> {
    assertChannelName(channel)
    return this.#ports.broker.clearHistory(channel)
  }

  /** Throws `feature_disabled` where the rule keeps no document. */
  assertKeepsState(channel: string): void {
    assertChannelName(channel)
    assertKeepsState(channel, this.#ports.rules.of(channel))
  }

  /** The channel's document. Throws `feature_disabled` where the rule keeps none. */
  state(channel: string): Awaitable<ChannelState> {
    this.assertKeepsState(channel)
    return this.#ports.broker.state(channel)
  }

  /**
   * The same for a client: whoever may subscribe may read. Throws what `authenticate` refuses, and `permission_denied`, also where a hook
   * decides: it is asked about sessions, and here is none.
   */
  async stateFor(token: string | undefined, channel: string): Promise<ChannelState> {
    assertChannelName(channel)
    if (this.#parts.questions.isAsked('connect') || this.#parts.questions.isAsked('subscribe', channel))
      throw new FusewireError(
        'permission_denied',
        'the application decides who may subscribe: the document comes with subscribed',
      )
    const rule = this.#ports.rules.of(channel)
    const identity = await this.#ports.authenticator.authenticate(token)
    if (this.#ports.revocations.isRevoked(identity)) throw new FusewireError('token_revoked')
    const { user, channels, capabilities } = identity
    if (!channels.includes(channel))
      assertAllowed('subscribe', channel, rule.subscribe, { user, capabilities: CapabilitySet.of(capabilities) })
    return this.state(channel)
  }

  /** Removes the channel's document and history; whoever has a copy is told. False when there is no document. */
  removeState(channel: string): Awaitable<boolean> {
    this.assertKeepsState(channel)
    return this.#ports.broker.removeDocument(channel)
  }

  presence(channel: string): Awaitable<readonly Member[]> {
    assertChannelName(channel)
    return this.#ports.presence.list(channel)
  }

  presenceCount(channel: string): Awaitable<{ sessions: number; users: number }> {
    assertChannelName(channel)
    return this.#ports.presence.count(channel)
  }

  /** Channels with subscribers on this node, filtered by a channel pattern. */
  channels(pattern?: string): { channel: string; subscribers: number }[] {
    const wanted = pattern === undefined ? undefined : compilePattern(pattern)
    const found: { channel: string; subscribers: number }[] = []
    for (const { name, size } of this.#parts.hub.channels())
      if (!wanted || wanted.test(name)) found.push({ channel: name, subscribers: size })
    return found
  }

  /** Subscribes every session of the target, whatever the rule says. Returns how many. */
  async subscribeUser(target: Target, channel: string): Promise<number> {
    assertChannelName(channel)
    const sessions = this.#parts.sessions.find(target).filter((session) => !session.subscriptions.has(channel))
    await Promise.all(sessions.map((session) => this.#parts.subscriptions.subscribe(session, { channel }, { trusted: true })))
    return sessions.length
  }

  unsubscribeUser(target: Target, channel: string): number {
    assertChannelName(channel)
    const reason = 'unsubscribed by the application'
    return this.#parts.sessions
      .find(target)
      .filter((session) => this.#parts.subscriptions.revoke(session, channel, 'disconnected', reason)).length
  }

  /** Ends every session of the target at once. Returns how many. */
  disconnectUser(target: Target): number {
    const sessions = this.#parts.sessions.find(target)
    for (const session of sessions) {
      session.link?.end('disconnected')
      this.#parts.sessions.end(session, 'disconnected')
    }
    return sessions.length
  }

  /**
   * Gives the identity of every session of the target another end, in milliseconds from now; 0 ends it at once, and without a value it
   * has none any more. Clients whose identity has ended are told `token_expired`. Returns how many sessions.
   */
  refreshUser(target: Target, expiresInMs?: number): number {
    const sessions = this.#parts.sessions.find(target)
    const expiresAt = expiresInMs === undefined ? undefined : this.#ports.environment.now() + expiresInMs
    for (const session of sessions) {
      const { expiresAt: _, ...identity } = session.identity
      this.#parts.sessions.renew(session, { ...identity, ...(expiresAt !== undefined && { expiresAt }) })
      if (expiresInMs === 0) session.link?.end('token_expired')
      else session.link?.refreshed()
    }
    return sessions.length
  }

  /** Tells the clients of the target to come back elsewhere, as when this node leaves. Their sessions stay. Returns how many clients. */
  moveUser(target: Target): number {
    const links = this.#parts.sessions.find(target).flatMap(({ link }) => link ?? [])
    for (const link of links) link.end('server_draining')
    return links.length
  }

  /** Takes tokens back at once: sessions and subscriptions that were made with them end. Returns how many sessions on this node. */
  revoke(target: RevocationTarget, options: RevokeOptions = {}): Promise<number> {
    return this.#parts.revoker.revoke(target, options)
  }

  /** Sessions of this node that such a revocation would end now. */
  revocableSessions(target: RevocationTarget): number {
    return this.#parts.revoker.count(target)
  }

  rpc(method: string, data: unknown, caller?: RpcCaller): Promise<unknown> {
    return this.#ports.rpc.call(method, data, caller)
  }

  stats(): EngineStats {
    const counters = this.#parts.counters
    return {
      messagesIn: counters.messagesIn,
      publications: counters.publications,
      deliveries: counters.deliveries,
      errors: counters.errors,
      disconnects: counters.disconnects,
      refusals: counters.refusals,
      sessionsCreated: counters.sessionsCreated,
      sessionsResumed: counters.sessionsResumed,
      sessionsExpired: counters.sessionsExpired,
      sessionsTaken: counters.sessionsTaken,
      sessionsLetGo: counters.sessionsLetGo,
      sessionsSwept: counters.sessionsSwept,
      sessionStoreFailures: counters.sessionStoreFailures,
      recoveries: counters.recoveries,
      connections: this.#connections.size,
      sessions: this.#parts.sessions.size,
      detachedSessions: this.#parts.sessions.detachedCount,
      subscriptions: this.#parts.hub.subscriptionCount,
      channels: this.#parts.hub.channelCount,
      revocations: this.#ports.revocations.size,
      deadlines: this.#parts.wheel.size,
    }
  }

  /**
   * Tells every client to come back elsewhere, each at a moment of its own within `windowMs`, and those that still come as well.
   * Called again it can shorten the window, not lengthen it.
   */
  drain(windowMs: number): void {
    this.#connections.drain(windowMs)
  }

  /** Connections that have not been told yet to leave. */
  get staying(): number {
    return this.#connections.staying
  }

  /** Tells every client to come back elsewhere, whatever it waits for. */
  disconnectAll(): void {
    this.#connections.disconnectAll()
  }

  /** Ends: clients first, then the broker. Sessions end too, unless there are other nodes: then they stay for those. Idempotent. */
  async close(): Promise<void> {
    this.disconnectAll()
    if (this.#parts.shared) await this.#parts.shared.close()
    else this.#parts.sessions.endAll('server_draining')
    await this.#ports.broker.close()
    await this.#ports.presence.close()
    await this.#ports.revocations.close()
  }
}

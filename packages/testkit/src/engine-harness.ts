import {
  type Authenticator,
  type Broker,
  type ChannelRule,
  DEFAULT_RULE,
  DEVELOPMENT_RULE,
  Engine,
  type EngineLimits,
  type Hooks,
  type Identity,
  MemoryBroker,
  MemoryPresence,
  MemoryRevocations,
  type PresenceStore,
  RpcRouter,
  RuleBook,
  type SessionStore,
} from '@fusewire/engine'
import { type ClientMessage, FusewireError, type Position } from '@fusewire/protocol'
import { FakeEnvironment } from './fake-environment.ts'
import { MemoryConnection, type MemoryFormat } from './memory-connection.ts'
import { turn } from './turn.ts'

/** Small where a test comes up against them, otherwise as a server has them. */
export const ENGINE_LIMITS: EngineLimits = {
  pingIntervalMs: 25_000,
  pongTimeoutMs: 5000,
  connectTimeoutMs: 10_000,
  sessionTtlMs: 60_000,
  maxBadMessages: 3,
  maxPendingRequests: 4,
  maxChannelsPerSession: 3,
  hookMaxConcurrentPerSession: 16,
  messagesPerSecond: 1000,
  messagesBurst: 2000,
  bytesPerSecond: 4_194_304,
  bytesBurst: 8_388_608,
  maxRateLimited: 1000,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 10_000,
  maxConnectionsPerUser: 1000,
  revocationTtlMs: 86_400_000,
}

/** An application that wants to know nothing. */
export const noHooks: Hooks = {
  takes: () => false,
  ask: () => Promise.reject(new Error('nobody takes this')),
  tell: () => {},
  flush: async () => {},
  close: async () => {},
}

/** How often a server turns the engine's clock. */
const TICK_MS = 250

/**
 * Reads tokens that are written as what they say: `ann`, `ann@<end in ms>`; channel tokens are `ann>room`, `ann>room@<end in ms>`.
 * Either may go on with `#<id>` and `+<issued at, in ms>`, in this order.
 * `bad` is refused, `admin` may do everything, `auto` is subscribed to `open:auto` and `secret:auto`.
 */
export const plainAuthenticator: Authenticator = {
  async authenticate(token): Promise<Identity> {
    if (token === 'bad') throw new FusewireError('token_invalid')
    const { subject, mark } = readMark(token ?? '')
    const [user, expiresAt] = token === undefined ? [] : subject.split('@')
    return {
      ...mark,
      ...(user !== undefined && { user }),
      ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
      capabilities: user === 'admin' ? [{ channels: ['**'], allow: ['publish', 'subscribe'] }] : [],
      channels: user === 'auto' ? ['open:auto', 'secret:auto'] : [],
    }
  },
  async authorizeChannel(token, channel, user) {
    const { subject, mark } = readMark(token)
    const [grant, expiresAt] = subject.split('@')
    if (grant !== `${user}>${channel}`) throw new FusewireError('token_invalid')
    return {
      channel,
      ...mark,
      ...(user !== undefined && { user }),
      ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
    }
  },
}

const readMark = (token: string): { subject: string; mark: Pick<Identity, 'tokenId' | 'issuedAt'> } => {
  const [, subject = '', tokenId, issuedAt] = /^([^#+]*)(?:#([^+]*))?(?:\+(\d+))?$/u.exec(token) ?? []
  const mark = { ...(tokenId !== undefined && { tokenId }), ...(issuedAt !== undefined && { issuedAt: Number(issuedAt) }) }
  return { subject, mark }
}

export interface EngineHarnessOptions {
  /** Of several engines, the same. */
  readonly environment?: FakeEnvironment
  /** Name of the node. Default `test`. */
  readonly node?: string
  readonly limits?: Partial<EngineLimits>
  /** Stand in for the parts in memory. */
  readonly broker?: (environment: FakeEnvironment) => Broker
  readonly presence?: PresenceStore
  readonly sessionStore?: SessionStore
  readonly authenticator?: Authenticator
  readonly hooks?: Hooks
  /** Before those that every harness has: `open:*`, `short:*` (2 kept), `none:*` (no history, no presence), `inbox:*` (owner), `secret:*`. */
  readonly rules?: Readonly<Record<string, ChannelRule>>
}

/** An engine in memory, and clients that talk to it. */
export class EngineHarness {
  readonly environment: FakeEnvironment
  readonly rpc = new RpcRouter()
  readonly rules = new RuleBook(DEFAULT_RULE)
  /** Events of the engine's log. */
  readonly events: [event: string, details: object][] = []
  readonly engine: Engine

  private constructor({
    environment = new FakeEnvironment(),
    node = 'test',
    limits,
    broker,
    presence,
    sessionStore,
    authenticator,
    hooks = noHooks,
    rules = {},
  }: EngineHarnessOptions) {
    this.environment = environment
    for (const [pattern, rule] of Object.entries(rules)) this.rules.add(pattern, rule)
    this.rules.add('open:*', DEVELOPMENT_RULE)
    this.rules.add('short:*', { ...DEVELOPMENT_RULE, historySize: 2 })
    this.rules.add('none:*', { ...DEVELOPMENT_RULE, historySize: 0, presence: false })
    this.rules.add('inbox:*', { ...DEFAULT_RULE, subscribe: 'owner' })
    this.rules.add('secret:*', { ...DEFAULT_RULE, subscribe: 'nobody', publish: 'nobody' })
    this.engine = new Engine({
      broker: broker?.(this.environment) ?? new MemoryBroker(this.environment),
      presence: presence ?? new MemoryPresence(),
      sessionStore,
      authenticator: authenticator ?? plainAuthenticator,
      revocations: new MemoryRevocations(this.environment, { maxRevocations: 3 }),
      environment: this.environment,
      rules: this.rules,
      rpc: this.rpc,
      hooks,
      limits: { ...ENGINE_LIMITS, ...limits },
      log: (event, details) => this.events.push([event, details]),
      node: { node, version: '0.0.0' },
    })
  }

  static async start(options: EngineHarnessOptions = {}): Promise<EngineHarness> {
    const harness = new EngineHarness(options)
    await harness.engine.start()
    return harness
  }

  open(format?: MemoryFormat, remoteAddress?: string): MemoryConnection {
    return new MemoryConnection((connection) => this.engine.open(connection), format, remoteAddress)
  }

  /** A client whose `connect` has been answered. */
  async connect(
    message: Partial<Extract<ClientMessage, { type: 'connect' }>> = {},
    remoteAddress?: string,
  ): Promise<MemoryConnection> {
    const connection = this.open(undefined, remoteAddress)
    connection.say({ type: 'connect', id: 1, ...message })
    await turn()
    return connection
  }

  async subscribe(connection: MemoryConnection, channel: string, since?: Position): Promise<void> {
    connection.say({ type: 'subscribe', channel, ...(since && { since }) })
    await turn()
  }

  /** Lets time pass, and the engine notice, as a running server does. */
  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.environment.advance(TICK_MS)
      this.engine.tick()
    }
  }
}

import {
  type Broker,
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
import { TrustedProxies } from './addresses/trusted-proxies.ts'
import { createAuthenticator } from './auth/create-authenticator.ts'
import { SnapshotBroker, type SnapshotStats } from './brokers/snapshot-broker.ts'
import { ConfigurationError } from './config/configuration-error.ts'
import type { FusewireOptions } from './config/options.ts'
import { type CreatedHooks, createHooks } from './hooks/create-hooks.ts'
import type { SecurityLog } from './log/security-log.ts'
import { nodeEnvironment } from './node-environment.ts'
import { VERSION } from './version.ts'

/** The part of a node that needs no port: engine, broker, rules and handlers. */
export interface Core {
  readonly engine: Engine
  /** Forgets what has expired. To be called about once a second. */
  sweep(): void
  /** Absent where nothing is kept on disk. */
  readonly snapshots?: SnapshotStats
  readonly proxies: TrustedProxies
  readonly rules: RuleBook
  readonly rpc: RpcRouter
  /** What the application decides and hears. */
  readonly application: CreatedHooks
  readonly security: SecurityLog
  /** Identifier of this process. */
  readonly node: string
}

interface OpenedBroker extends Pick<Core, 'sweep' | 'snapshots'> {
  readonly broker: Broker
}

const openBroker = (options: FusewireOptions, given: Broker | undefined, log: Log): OpenedBroker => {
  const { idempotencyTtlMs, snapshotFile: file, snapshotIntervalMs: intervalMs } = options
  if (given) {
    if (file !== undefined)
      throw new ConfigurationError([{ option: 'snapshotFile', message: 'is for the memory broker; leave it out, or the broker' }])
    // It looks after itself.
    return { broker: given, sweep: () => {} }
  }
  const memory = new MemoryBroker(nodeEnvironment, { idempotencyTtlMs })
  if (file === undefined) return { broker: memory, sweep: () => memory.sweep() }
  const broker = new SnapshotBroker(memory, nodeEnvironment, log, { file, intervalMs })
  return { broker, sweep: () => broker.sweep(), snapshots: broker.stats }
}

/** `given` takes the place of the memory broker. */
export const composeCore = (options: FusewireOptions, security: SecurityLog, given?: Broker): Core => {
  const { log } = security
  const node = nodeEnvironment.id()
  const rules = new RuleBook(options.development ? DEVELOPMENT_RULE : DEFAULT_RULE)
  for (const { pattern, ...rule } of options.rules) rules.add(pattern, rule satisfies ChannelRule)
  const rpc = new RpcRouter()
  const application = createHooks(options, VERSION, log)
  const opened = openBroker(options, given, log)
  const revocations = new MemoryRevocations(nodeEnvironment, options)
  const proxies = new TrustedProxies(options.trustedProxies)
  const engine = new Engine({
    revocations,
    broker: opened.broker,
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
    addressGroup: (address) => proxies.limitedGroup(address),
    limits: options,
    log,
    node: { node, version: VERSION, ...(options.development && { development: true }) },
  })
  const sweep = (): void => {
    opened.sweep()
    revocations.sweep()
  }
  const { snapshots } = opened
  return { engine, sweep, ...(snapshots && { snapshots }), proxies, rules, rpc, application, security, node }
}

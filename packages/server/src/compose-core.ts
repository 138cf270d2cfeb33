import { type Broker, type ChannelRule, DEFAULT_RULE, DEVELOPMENT_RULE, Engine, RpcRouter, RuleBook } from '@fusewire/engine'
import { TrustedProxies } from './addresses/trusted-proxies.ts'
import { createAuthenticator } from './auth/create-authenticator.ts'
import type { Backend } from './brokers/backend.ts'
import { openBackend } from './brokers/open-backend.ts'
import { Cluster } from './cluster/cluster.ts'
import { ClusterApplication } from './cluster/cluster-application.ts'
import type { FusewireOptions } from './config/options.ts'
import { type CreatedHooks, createHooks } from './hooks/create-hooks.ts'
import type { SecurityLog } from './log/security-log.ts'
import { nodeEnvironment } from './node-environment.ts'
import { VERSION } from './version.ts'
import type { WorkerRole } from './workers/worker-role.ts'

/** The part of a node that needs no port: engine, broker, rules and handlers. */
export interface Core {
  readonly engine: Engine
  readonly backend: Backend
  /** The other nodes; absent where there can be none. */
  readonly cluster?: Cluster
  /** What the application asks, over all nodes. */
  readonly commands: ClusterApplication
  readonly proxies: TrustedProxies
  readonly rules: RuleBook
  readonly rpc: RpcRouter
  /** What the application decides and hears. */
  readonly application: CreatedHooks
  readonly security: SecurityLog
  /** Identifier of this process. */
  readonly node: string
}

/** What takes the place of the memory broker. */
export interface GivenParts {
  readonly broker?: Broker | undefined
  readonly role?: WorkerRole | undefined
}

export const composeCore = (options: FusewireOptions, security: SecurityLog, { broker: given, role }: GivenParts = {}): Core => {
  const { log } = security
  const node = nodeEnvironment.id()
  const rules = new RuleBook(options.development ? DEVELOPMENT_RULE : DEFAULT_RULE)
  for (const { pattern, ...rule } of options.rules) rules.add(pattern, rule satisfies ChannelRule)
  const rpc = new RpcRouter()
  const application = createHooks(options, VERSION, log)
  const context = { node, environment: nodeEnvironment, log }
  const backend = role?.openBackend?.(context) ?? openBackend(options, context, given)
  const { broker, presence, revocations } = backend
  const proxies = new TrustedProxies(options.trustedProxies)
  const engine = new Engine({
    revocations,
    broker,
    presence,
    sessionStore: backend.shared?.sessions,
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
  const cluster =
    backend.shared &&
    new Cluster({
      node,
      bus: backend.shared.bus,
      now: () => performance.now(),
      isCutOff: () => backend.problem() !== undefined,
      log,
    })
  const commands = new ClusterApplication(engine, cluster)
  return { engine, backend, ...(cluster && { cluster }), commands, proxies, rules, rpc, application, security, node }
}

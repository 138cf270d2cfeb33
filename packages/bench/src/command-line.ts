import { parseArgs } from 'node:util'
import { BROKERS, type BrokerName } from './cluster/broker.ts'
import type { ExternalServer, Scenario, ScenarioOption } from './frame/scenario.ts'
import { DIALECTS, type DialectName } from './load/dialect.ts'

/** Arguments that make no sense, with a message for whoever has typed them. */
export class UsageError extends Error {}

export interface CommandLine {
  readonly isHelp: boolean
  /** Names of scenarios, one at least; or `cluster` alone. */
  readonly scenarios: readonly string[]
  readonly isQuick: boolean
  readonly rounds: number | undefined
  readonly durationMs: number | undefined
  readonly clients: number | undefined
  readonly bytes: number | undefined
  /** Names of the candidates that are measured alone. */
  readonly only: readonly string[]
  /** How the names of the cases begin that are measured alone. */
  readonly cases: readonly string[]
  readonly external: ExternalServer | undefined
  readonly isJson: boolean
  /** Folder of the report and its JSON. */
  readonly reportDirectory: string | undefined
  readonly cluster: {
    readonly broker: BrokerName | undefined
    readonly nodes: number | undefined
    readonly channels: number | undefined
    readonly window: number | undefined
  }
}

const OPTIONS = {
  clients: { type: 'string' },
  bytes: { type: 'string' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  only: { type: 'string', multiple: true },
  case: { type: 'string', multiple: true },
  url: { type: 'string' },
  dialect: { type: 'string' },
  report: { type: 'string' },
  window: { type: 'string' },
  channels: { type: 'string' },
  broker: { type: 'string' },
  nodes: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const

const CLUSTER_ONLY = ['window', 'channels', 'broker', 'nodes'] as const
const SOME_SCENARIOS_ONLY = ['clients', 'bytes', 'url'] as const satisfies readonly ScenarioOption[]
const SCENARIOS_ONLY = ['clients', 'only', 'case', 'url', 'dialect', 'report'] as const

/** The command that is no scenario of the frame. */
export const CLUSTER = 'cluster'

const count = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value <= 0) throw new UsageError(`--${name} must be a positive whole number, not "${text}"`)
  return value
}

const oneOf = <Name extends string>(option: string, names: readonly Name[], text: string): Name => {
  const name = names.find((candidate) => candidate === text)
  if (name === undefined) throw new UsageError(`--${option} must be ${names.join(' or ')}, not "${text}"`)
  return name
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'ws:': 80, 'wss:': 443 }

const externalServer = (url: string | undefined, dialect: string | undefined): ExternalServer | undefined => {
  if (url === undefined) {
    if (dialect !== undefined) throw new UsageError('--dialect says what the server at --url speaks, which is missing')
    return undefined
  }
  const parsed = URL.parse(url)
  const port = DEFAULT_PORTS[parsed?.protocol ?? '']
  if (!parsed || port === undefined) throw new UsageError(`--url must begin with ws:// or wss://, not "${url}"`)
  if (dialect === undefined) throw new UsageError('--url needs --dialect, which says what the server speaks')
  const path = `${parsed.pathname}${parsed.search}`
  // In a URL an IPv6 address has brackets (RFC 3986 section 3.2.2), for a socket it has none.
  const host = parsed.hostname.replaceAll(/^\[|\]$/gu, '')
  return {
    address: { host, port: parsed.port === '' ? port : Number(parsed.port), isTls: parsed.protocol === 'wss:' },
    path: path === '/' ? undefined : path,
    dialect: oneOf('dialect', Object.keys(DIALECTS) as DialectName[], dialect),
  }
}

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** All scenarios, and those that are run when none is named. */
export interface KnownScenarios {
  readonly all: readonly KnownScenario[]
  readonly byDefault: readonly KnownScenario[]
  /** With `--quick`. */
  readonly quick: readonly KnownScenario[]
}

type KnownScenario = Pick<Scenario, 'name' | 'takes'>

const chosenOf = (
  names: readonly string[],
  isQuick: boolean,
  { all, byDefault, quick }: KnownScenarios,
): readonly KnownScenario[] => {
  if (names.includes('all')) return all
  if (names.length > 0) return all.filter(({ name }) => names.includes(name))
  return isQuick ? quick : byDefault
}

const namesOf = (scenarios: readonly KnownScenario[]): string => scenarios.map(({ name }) => name).join(', ')

/** An option that would be passed over by some is refused: their figures would be taken for those of what was asked. */
const assertTaken = (option: ScenarioOption, chosen: readonly KnownScenario[], all: readonly KnownScenario[]): void => {
  const without = chosen.filter(({ takes }) => !takes.includes(option))
  if (without.length === 0) return
  const able = namesOf(all.filter(({ takes }) => takes.includes(option)))
  throw new UsageError(`--${option} means nothing to ${namesOf(without)}: it is for ${able}`)
}

/**
 * Reads the arguments; among the scenarios that are known, `all` is all.
 * @throws {@link UsageError}
 */
export const readCommandLine = (args: readonly string[], known: KnownScenarios): CommandLine => {
  const { values, positionals } = parse(args)
  const names = known.all.map(({ name }) => name)
  for (const name of positionals)
    if (![...names, CLUSTER, 'all'].includes(name))
      throw new UsageError(`there is no scenario "${name}"; there are ${names.join(', ')}, ${CLUSTER} and all`)
  const isCluster = positionals.includes(CLUSTER)
  if (isCluster && positionals.length > 1) throw new UsageError(`${CLUSTER} is run alone`)
  for (const name of isCluster ? SCENARIOS_ONLY : CLUSTER_ONLY)
    if (values[name] !== undefined) throw new UsageError(`--${name} is ${isCluster ? 'not for' : 'for'} ${CLUSTER}`)
  if (isCluster && values.quick) throw new UsageError(`--quick is not for ${CLUSTER}`)
  const chosen = chosenOf(positionals, values.quick, known)
  for (const option of SOME_SCENARIOS_ONLY) if (values[option] !== undefined && !isCluster) assertTaken(option, chosen, known.all)
  const seconds = count('seconds', values.seconds)
  return {
    isHelp: values.help,
    scenarios: isCluster ? [CLUSTER] : chosen.map(({ name }) => name),
    isQuick: values.quick,
    rounds: count('rounds', values.rounds),
    durationMs: seconds === undefined ? undefined : seconds * 1000,
    clients: count('clients', values.clients),
    bytes: count('bytes', values.bytes),
    only: values.only ?? [],
    cases: values.case ?? [],
    external: externalServer(values.url, values.dialect),
    isJson: values.json,
    reportDirectory: values.report,
    cluster: {
      broker: values.broker === undefined ? undefined : oneOf('broker', BROKERS, values.broker),
      nodes: count('nodes', values.nodes),
      channels: count('channels', values.channels),
      window: count('window', values.window),
    },
  }
}

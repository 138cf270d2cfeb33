import { parseArgs } from 'node:util'
import { BROKER_KINDS, type BrokerKind } from '../cluster/broker-servers.ts'

export const HELP = `Usage: npm run soak -- [options]

Lets clients of every sort go through faults at random while something is published all the time, and judges what each of them was
told: nothing lost, doubled or out of order without "recovered: false". The server is a process of its own, on this machine.

Options:
  --minutes N    how long (default 10)
  --seed N       repeats the choices of a run, though not its timing (default: another each time)
  --clients N    clients at a time (default 24)
  --cluster B    several servers over a broker, which fails too, as they do: ${BROKER_KINDS.join(', ')}
  --nodes N      servers of the cluster (default 3)
  --help

Ends with 0 when every promise was held, with 1 when not, with 2 when it was asked for wrongly. When its time is over, and after Ctrl-C,
what has begun comes to its end first: of a cluster, a fault and the recovery from it, in half a minute at most.

Examples:
  npm run soak
  npm run soak -- --minutes 60 --clients 48
  npm run soak -- --minutes 1 --seed 4711
  npm run soak -- --cluster redis-cluster --nodes 3 --minutes 30`

export interface ClusterChoice {
  readonly broker: BrokerKind
  readonly nodes: number
}

export interface SoakOptions {
  readonly durationMs: number
  readonly seed: number
  readonly clients: number
  /** Absent for one server alone. */
  readonly cluster?: ClusterChoice
}

export type SoakRequest =
  | { readonly kind: 'run'; readonly options: SoakOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

const MAX_SEED = 2 ** 32 - 1
const MAX_CLIENTS = 1_000
const MAX_NODES = 20
const MAX_MINUTES = 10_080

class WrongUse extends Error {}

const read = (name: string, text: string, { min, max, whole }: { min: number; max: number; whole: boolean }): number => {
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value
  throw new WrongUse(`--${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not "${text}"`)
}

/** The command that makes the same choices again. */
export const repeating = ({ durationMs, seed, clients, cluster }: SoakOptions): string =>
  `npm run soak --${cluster ? ` --cluster ${cluster.broker} --nodes ${cluster.nodes}` : ''} --minutes ${durationMs / 60_000} --clients ${clients} --seed ${seed}`

/** What the command line asks for; `seed` is used when it names none. */
export const readSoakRequest = (args: readonly string[], seed: number): SoakRequest => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string', default: String(seed) },
        clients: { type: 'string', default: '24' },
        cluster: { type: 'string' },
        nodes: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { kind: 'help' }
    const { cluster, nodes = '3' } = values
    const broker = BROKER_KINDS.find((kind) => kind === cluster)
    if (cluster !== undefined && !broker)
      throw new WrongUse(`--cluster must be one of ${BROKER_KINDS.join(', ')}, not "${cluster}"`)
    if (!broker && values.nodes !== undefined) throw new WrongUse('--nodes is for --cluster')
    const options = {
      durationMs: read('minutes', values.minutes, { min: 0.1, max: MAX_MINUTES, whole: false }) * 60_000,
      seed: read('seed', values.seed, { min: 0, max: MAX_SEED, whole: true }),
      clients: read('clients', values.clients, { min: 1, max: MAX_CLIENTS, whole: true }),
      ...(broker && { cluster: { broker, nodes: read('nodes', nodes, { min: 1, max: MAX_NODES, whole: true }) } }),
    }
    return { kind: 'run', options }
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message }
  }
}

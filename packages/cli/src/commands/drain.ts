import { setTimeout as delay } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { printTouched } from '../connection/touched.ts'
import { CommandError } from '../exit-code.ts'
import { addTargetOptions, type TargetFlags, targetOf } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface DrainFlags extends ConnectionFlags, TargetFlags {
  readonly apiKey?: string
  readonly node?: string
  readonly wait: boolean
}

const draining = z.object({
  node: z.string(),
  workers: z.number().optional(),
  connections: z.number(),
  delayMs: z.number(),
  windowMs: z.number(),
  timeoutMs: z.number(),
})
type Draining = z.output<typeof draining>

const node = z.object({ node: z.string(), connections: z.number() })
const nodeInfo = z.object({ ...node.shape, nodes: z.array(node).default([]) })

const POLL_INTERVAL_MS = 250
/** A node that is on time, and a network that is not. */
const PATIENCE_MS = 5000

export const defineDrain = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(
    addTargetOptions(
      command.addOption(
        new Option('--node <id>', 'this node, which need not be the one at --url; see "fusewire info"').conflicts([
          'user',
          'session',
        ]),
      ),
    ).option('--no-wait', 'do not wait until it has gone'),
  )
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
The node stops being ready at once, tells its clients to move at moments spread over its drainWindowMs, answers what is under way,
and ends with 0, as it does after SIGTERM. Without --node it is the one that --url leads to.
With --user or --session nobody leaves: their clients are told now to come back elsewhere, and their sessions go on there.

Examples:
  $ fusewire drain
  $ fusewire drain --url https://node-3.internal:8443 --api-key "$KEY"
  $ fusewire drain --node 6hZr0qkXw3aB
  $ fusewire drain --user alice
  $ fusewire drain --no-wait && echo "on its way"`,
    )
    .action((flags: DrainFlags) => drain(flags, terminal))

const seconds = (ms: number): string => `${ms / 1000} s`

const beginning = ({ node, workers, connections, delayMs, windowMs }: Draining): string => {
  const moving = `${connections} connections move within ${seconds(delayMs + windowMs)}`
  return workers === undefined
    ? `Node ${node} is leaving: ${moving}.`
    : `All ${workers} workers of the server are leaving, node ${node} among them: its ${moving}, and so do theirs.`
}

/** Nobody can be asked about the other workers any more: none of them takes connections. */
const ending = ({ node, workers, timeoutMs }: Draining): string =>
  workers === undefined
    ? `Node ${node} has gone.`
    : `Node ${node} has gone; the other workers have ${seconds(timeoutMs)} since the beginning, and the server ends with the last.`

const drain = async (flags: DrainFlags, terminal: Terminal): Promise<void> => {
  const network = await openNetwork(flags, terminal)
  try {
    const api = new ApiClient(network, flags.apiKey)
    if (flags.user !== undefined || flags.session !== undefined) {
      printTouched(await api.post('/v1/drain', targetOf(flags)), terminal, (sessions) => `Told ${sessions} to move.`)
      return
    }
    const begun = draining.parse(await api.post('/v1/drain', flags.node === undefined ? {} : { node: flags.node }))
    const { node } = begun
    if (terminal.interactive) terminal.print(beginning(begun))
    else terminal.print(JSON.stringify({ event: 'draining', ...begun }))
    if (!flags.wait) return
    await untilGone(api, begun, {
      isAlone: flags.node !== undefined,
      report: (left) => terminal.note(`${left} connection${left === 1 ? '' : 's'} left`),
    })
    terminal.print(terminal.interactive ? ending(begun) : JSON.stringify({ event: 'drained', node }))
  } finally {
    await network.close()
  }
}

interface Watch {
  /** Others stay where it leaves: that nobody answers does not mean that it has gone. */
  readonly isAlone: boolean
  readonly report: (left: number) => void
}

/**
 * Looks again and again; a node has gone that the one which answers does not know, or that has answered itself and cannot be reached any
 * more.
 */
const untilGone = async (api: ApiClient, { node, timeoutMs }: Draining, { isAlone, report }: Watch): Promise<void> => {
  const deadline = performance.now() + timeoutMs + PATIENCE_MS
  let isKnownToAnother = false
  for (let left: number | undefined; ; ) {
    // The connection of the request before must be free by then: there will be no other.
    await delay(POLL_INTERVAL_MS)
    const info = nodeInfo.safeParse(await api.get('/v1/info').catch(() => undefined)).data
    const leaving = info && [info, ...info.nodes].find((known) => known.node === node)
    if (!leaving && (info || !isKnownToAnother)) return
    if (performance.now() > deadline)
      throw new CommandError(
        `Node ${node} should have gone after ${seconds(timeoutMs)}; nobody says that it has. Its log may say why.`,
      )
    if (!leaving) continue
    isKnownToAnother = isAlone && info.node !== node
    if (leaving.connections !== left) report(leaving.connections)
    left = leaving.connections
  }
}

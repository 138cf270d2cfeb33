import { z } from 'zod'
import type { Refusal } from '../../error-answer.ts'
import { API_LIMITS } from '../api-limits.ts'
import { type Command, type CommandContext, defineCommand } from '../command.ts'
import { assertMessageSize } from '../publication-input.ts'
import { refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { broadcast } from './broadcast.ts'
import { disconnect } from './disconnect.ts'
import { publish } from './publish.ts'
import { refresh } from './refresh.ts'
import { revoke } from './revoke.ts'
import { rpc } from './rpc.ts'
import { subscribe } from './subscribe.ts'
import { unsubscribe } from './unsubscribe.ts'

const BATCHED: ReadonlyMap<string, Command> = new Map(
  [publish, broadcast, subscribe, unsubscribe, disconnect, refresh, revoke, rpc].map((command) => [command.name, command]),
)

const bodies = Object.fromEntries([...BATCHED].map(([name, { body }]) => [name, body.exactOptional()]))

const batched = z
  .strictObject(bodies)
  .refine((item) => Object.keys(item).length === 1, { error: 'must name exactly one command' })
  .register(documented, { id: 'BatchedCommand', minProperties: 1, maxProperties: 1 })

const runOne = async (context: CommandContext, item: Readonly<Record<string, unknown>>, index: number) => {
  try {
    for (const [name, command] of BATCHED) {
      if (!(name in item)) continue
      if (!command.bulk) assertMessageSize(item[name], context.limits)
      // One key covers the whole batch, so that it can be repeated as it is; within it, each command needs one of its own.
      const idempotencyKey = context.idempotencyKey && `${context.idempotencyKey}/${index}`
      return { result: await command.run({ ...context, idempotencyKey }, item[name]) }
    }
    throw new Error('the schema lets no unknown command pass')
  } catch (thrown) {
    return context.refuse(thrown)
  }
}

type BatchResult = { result: unknown } | Refusal

export const batch = defineCommand({
  name: 'batch',
  summary: 'Carry out several commands, one after the other',
  description:
    'When one of them has a wrong field, the whole batch is refused and nothing has happened. After that each has a result or an ' +
    'error of its own, in order; an error does not stop the ones behind it.',
  tag: 'Procedures',
  body: z
    .strictObject({ commands: z.array(batched).min(1).max(API_LIMITS.commandsPerBatch) })
    .register(documented, { id: 'Batch' }),
  answer: z
    .object({ results: z.array(z.union([z.object({ result: z.unknown() }), refusal])) })
    .register(documented, { id: 'BatchResults' }),
  bulk: true,
  idempotent: true,
  run: async (context, { commands }) => {
    const results: (BatchResult | Promise<BatchResult>)[] = []
    for (const [index, item] of commands.entries()) {
      // A broker far away takes publications as they come, in this order, and is not waited for after each.
      if (!('publish' in item)) await Promise.all(results)
      const result = runOne(context, item, index)
      results.push('publish' in item ? result : await result)
    }
    return { results: await Promise.all(results) }
  },
})

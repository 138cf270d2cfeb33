import type { Awaitable } from '@fusewire/engine'
import { z } from 'zod'
import type { Refusal } from '../../error-answer.ts'
import { API_LIMITS } from '../api-limits.ts'
import { type Command, type CommandContext, defineCommand } from '../command.ts'
import { assertMessageSize } from '../publication-input.ts'
import { refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { usual } from '../schemas/usual.ts'
import { broadcast } from './broadcast.ts'
import { disconnect } from './disconnect.ts'
import { isUsualPublish, publish } from './publish.ts'
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

const isUsualCommand = (item: unknown): boolean => {
  if (typeof item !== 'object' || item === null) return false
  return isUsualPublish((item as Readonly<Record<string, unknown>>).publish) && Object.keys(item).length === 1
}

/** Publications alone. */
const isUsualBatch = (body: unknown): boolean => {
  if (typeof body !== 'object' || body === null) return false
  const { commands } = body as Readonly<Record<string, unknown>>
  if (!Array.isArray(commands) || commands.length === 0 || commands.length > API_LIMITS.commandsPerBatch) return false
  return Object.keys(body).length === 1 && commands.every(isUsualCommand)
}

type BatchResult = { result: unknown } | Refusal

/** Answers at once where the command does. */
const runOne = (context: CommandContext, item: Readonly<Record<string, unknown>>, index: number): Awaitable<BatchResult> => {
  try {
    const [name = ''] = Object.keys(item)
    const command = BATCHED.get(name)
    if (!command) throw new Error('the schema lets no unknown command pass')
    if (!command.bulk) assertMessageSize(item[name], context)
    // One key covers the whole batch, so that it can be repeated as it is; within it, each command needs one of its own.
    const { idempotencyKey: key } = context
    const answer = command.run(key === undefined ? context : { ...context, idempotencyKey: `${key}/${index}` }, item[name])
    return answer instanceof Promise ? answer.then((result) => ({ result }), context.refuse) : { result: answer }
  } catch (thrown) {
    return context.refuse(thrown)
  }
}

/** `Promise.all` makes promises of what is here already too. */
const whole = (results: Awaitable<BatchResult>[]): Awaitable<BatchResult[]> =>
  results.every((result): result is BatchResult => !(result instanceof Promise)) ? results : Promise.all(results)

export const batch = defineCommand({
  name: 'batch',
  summary: 'Carry out several commands, one after the other',
  description:
    'When one of them has a wrong field, the whole batch is refused and nothing has happened. After that each has a result or an ' +
    'error of its own, in order; an error does not stop the ones behind it.',
  tag: 'Procedures',
  body: z
    .strictObject({ commands: z.array(batched).min(1).max(API_LIMITS.commandsPerBatch) })
    .register(documented, { id: 'Batch' })
    .register(usual, { accepts: isUsualBatch }),
  answer: z
    .object({ results: z.array(z.union([z.object({ result: z.unknown() }), refusal])) })
    .register(documented, { id: 'BatchResults' }),
  bulk: true,
  idempotent: true,
  run: async (context, { commands }) => {
    const results: Awaitable<BatchResult>[] = []
    for (const [index, item] of commands.entries()) {
      // A broker far away takes publications as they come, in this order, and is not waited for after each.
      if (!('publish' in item)) await Promise.all(results)
      const result = runOne(context, item, index)
      results.push('publish' in item ? result : await result)
    }
    return { results: await whole(results) }
  },
})

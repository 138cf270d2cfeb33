import type { Awaitable } from '@fusewire/engine'
import type { z } from 'zod'
import type { Refusal } from '../error-answer.ts'
import type { MessageLimits } from './api-limits.ts'
import type { Application } from './application.ts'

/** What a command works with. */
export interface CommandContext {
  readonly application: Application
  readonly limits: MessageLimits
  /** Length of the request's body as it came; nothing in it is larger. */
  readonly requestBytes: number
  /** From the request's `Idempotency-Key`. */
  readonly idempotencyKey: string | undefined
  /** The answer for one part that failed, where others go on. */
  readonly refuse: (thrown: unknown) => Refusal
}

interface CommandDefinition<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly tag: 'Publications' | 'Sessions' | 'Procedures'
  readonly body: Body
  readonly answer: Answer
  /** True when one body carries more than one message, so that it may be larger than one. */
  readonly bulk?: true
  /** True when the header `Idempotency-Key` has a meaning here. */
  readonly idempotent?: true
  run(context: CommandContext, body: z.output<Body>): Awaitable<z.output<Answer>>
}

/** Something that the application asks for with `POST /v1/<name>`, alone or in a batch. */
export type Command = CommandDefinition<z.ZodType, z.ZodType>

/** Forgets the types of one command, so that commands can be kept in one table: `run` is only ever given what `body` has parsed. */
export const defineCommand = <Body extends z.ZodType, Answer extends z.ZodType>(
  definition: CommandDefinition<Body, Answer>,
): Command => definition as unknown as Command

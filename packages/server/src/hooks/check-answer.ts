import type { Answers, DecidingEvent } from '@fusewire/engine'
import { acceptClientMessage, encodeJson, FusewireError } from '@fusewire/protocol'
import type { z } from 'zod'
import { ANSWERS } from './answer-schemas.ts'
import { HookFailure } from './hook-failure.ts'

const explain = ({ issues: [issue] }: z.ZodError): string => {
  const path = issue?.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ?? ''
  return path === '' ? `${issue?.message}` : `${path.slice(1)}: ${issue?.message}`
}

/** `undefined` is as good as left out. */
const written = (answer: unknown): unknown =>
  typeof answer === 'object' && answer !== null && !Array.isArray(answer)
    ? Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined))
    : answer

/** What comes to clients must be writable; what counts as theirs may be no deeper than what they may send. */
const assertCarriable = (event: DecidingEvent, values: readonly unknown[], maxDepth: number): void => {
  for (const data of values) {
    if (data === undefined) continue
    encodeJson(data)
    if (event !== 'rpc') acceptClientMessage({ type: 'echo', data }, maxDepth)
  }
}

/**
 * Reads the answer to a question.
 * @throws HookFailure `malformed` that says what is wrong with it
 */
export const checkAnswer = <E extends DecidingEvent>(event: E, answer: unknown, maxDepth: number): Answers[E] => {
  const checked = ANSWERS[event].safeParse(written(answer))
  if (!checked.success) throw new HookFailure('malformed', `the answer to ${event} is none: ${explain(checked.error)}`)
  const { info, data } = checked.data as { info?: unknown; data?: unknown }
  try {
    assertCarriable(event, [info, data], maxDepth)
  } catch (cause) {
    const reason = cause instanceof FusewireError ? cause.message : String(cause)
    throw new HookFailure('malformed', `the answer to ${event} cannot be used: ${reason}`, { cause })
  }
  return checked.data
}

import { z } from 'zod'
import { HOOK_EVENTS } from '../hooks/hook-events.ts'
import { secretProblem } from '../hooks/webhook-secret.ts'
import { bytes, count, flag, milliseconds, OPTION_NOTES, text } from './option-notes.ts'

const hookSchema = z.strictObject({
  url: z.string().min(1).describe('Address that is called with POST.'),
  events: z
    .array(z.enum(HOOK_EVENTS))
    .min(1)
    .describe('What it decides (connect, refresh, subscribe, publish, rpc) and what it hears of (the others).'),
  channels: text('Only of the channels that match this pattern.', { defaultText: 'all', example: 'chat:*' }),
})

/** A backend, the events for which it is called, and perhaps a pattern of channels. */
export type HookInput = z.input<typeof hookSchema>

const secret = z.string().superRefine((given, context) => {
  const message = secretProblem(given)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** How the application decides and hears. */
export const hookOptions = {
  hooks: z
    .array(hookSchema)
    .default([])
    .describe(
      'Backends that decide and hear what clients do. Of those that match, the first decides, and all hear. See docs/hooks.md.',
    )
    .register(OPTION_NOTES, { example: [{ url: 'https://app.example.com/fusewire', events: ['connect', 'publish'] }] }),
  hookSecrets: z
    .array(secret)
    .default([])
    .describe(
      'Secrets that calls are signed with (Standard Webhooks): whsec_ and the Base64 of 24 to 64 bytes. Each signs, so that one can replace another.',
    )
    .register(OPTION_NOTES, { secret: true, example: ['whsec_Y2hhbmdlLW1lLWNoYW5nZS1tZS1jaGFuZ2UtbWU='] }),
  hookAllowHttp: flag('Call backends over http: too. Whoever is on the way can then decide in their place.', false),
  hookFailure: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'What happens when a backend cannot be asked: refuse the client with hook_unavailable, or allow what the rules allow.',
    ),
  hookTimeoutMs: milliseconds('Time in which a question has to be answered, repetitions included; for notices, of each call.', {
    default: 3000,
  }),
  hookRetries: count('How often a question is repeated when a backend cannot be reached (no connection, 429, 502, 503, 504).', {
    default: 2,
    min: 0,
    max: 10,
  }),
  hookMaxConcurrent: count('Questions that wait for their answer at a time; further ones are refused with overloaded.', {
    default: 256,
    min: 1,
    max: 100_000,
  }),
  hookMaxConcurrentPerSession: count(
    'Questions about one client that wait for their answer at a time; further ones wait for their turn.',
    { default: 16, min: 1, max: 100_000 },
  ),
  hookMaxAnswerBytes: bytes('Size of an answer at most.', { default: 1_048_576, min: 256, max: 67_108_864 }),
  hookQueueSize: count('Notices that may wait for each backend or handler; beyond it the oldest are dropped.', {
    default: 10_000,
    min: 1,
    max: 10_000_000,
  }),
  hookQueueTtlMs: milliseconds('How long a notice is kept for a backend that cannot be reached.', { default: 600_000 }),
  hookBatchSize: count('Notices that one call tells at most.', { default: 100, min: 1, max: 10_000 }),
  hookBatchDelayMs: milliseconds('How long a notice waits for others to be told with.', { default: 50, min: 0, max: 60_000 }),
  hookBreakerFailures: count('Failures in a row after which a backend is left alone (circuit breaker).', {
    default: 5,
    min: 1,
    max: 10_000,
  }),
  hookBreakerResetMs: milliseconds('How long it is left alone before it is tried again.', { default: 10_000, min: 10 }),
}

import { milliseconds } from './option-notes.ts'

const HOUR = 3_600_000

/** How long things wait and live. */
export const sessionOptions = {
  pingIntervalMs: milliseconds('How often a client says that it is there.', { default: 25_000, max: HOUR }),
  pongTimeoutMs: milliseconds('How long the other side may take before the connection counts as lost.', {
    default: 5000,
    max: HOUR,
  }),
  connectTimeoutMs: milliseconds('Time between the opening of a connection and its first message.', {
    default: 10_000,
    max: HOUR,
  }),
  sessionTtlMs: milliseconds('How long a session outlives its connection, to be resumed.', { default: 60_000, max: 168 * HOUR }),
  idempotencyTtlMs: milliseconds('How long the key of a publish is remembered, so that a repeated one changes nothing.', {
    default: 300_000,
    max: 24 * HOUR,
  }),
}

import type { Log } from '@fusewire/engine'
import type { Logger } from 'pino'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** How much each event matters to an operator. An event that is not named here is told at `info`. */
const LEVELS: Readonly<Record<string, Level>> = {
  client_disconnected: 'debug',
  slow_consumer: 'warn',
  limit_exceeded: 'warn',
  token_refused: 'warn',
  origin_refused: 'warn',
  api_key_refused: 'warn',
  request_failed: 'error',
  presence_remove_failed: 'error',
  catch_up_failed: 'error',
  certificate_refused: 'error',
  keys_unavailable: 'error',
  hook_failed: 'error',
  hook_delivery_failed: 'error',
  hook_notices_dropped: 'error',
  hook_breaker_opened: 'error',
  snapshot_failed: 'error',
}

/** Writes events as log lines: the name is the message, the details are fields, and an error keeps its cause and stack. */
export const eventLog =
  (logger: Logger): Log =>
  (event, { error, ...details }) =>
    logger[LEVELS[event] ?? 'info'](error === undefined ? details : { ...details, err: error }, event)

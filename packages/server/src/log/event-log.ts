import type { Log } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { Logger } from 'pino'
import { LOG_EVENTS, type LogLevel } from './log-events.ts'

const LEVELS: ReadonlyMap<string, LogLevel> = new Map(
  LOG_EVENTS.flatMap(({ events }) => Object.entries(events).map(([event, { level }]) => [event, level] as const)),
)

/** That a broker is away is nothing of this program's code: the words of the error and its cause say it all, without a stack. */
const loggable = (error: unknown): unknown => {
  if (!(error instanceof FusewireError) || error.code !== 'broker_unavailable') return error
  const { message, cause } = error
  return cause instanceof Error && !message.includes(cause.message) ? `${message}: ${cause.message}` : message
}

/** Writes events as log lines: the name is the message, the details are fields, and an error keeps its cause and stack. */
export const eventLog =
  (logger: Logger): Log =>
  (event, { error, ...details }) =>
    logger[LEVELS.get(event) ?? 'info'](error === undefined ? details : { ...details, err: loggable(error) }, event)

import type { Log } from '@fusewire/engine'
import type { Logger } from 'pino'
import { LOG_EVENTS, type LogLevel } from './log-events.ts'

const LEVELS: ReadonlyMap<string, LogLevel> = new Map(
  LOG_EVENTS.flatMap(({ events }) => Object.entries(events).map(([event, { level }]) => [event, level] as const)),
)

/** Writes events as log lines: the name is the message, the details are fields, and an error keeps its cause and stack. */
export const eventLog =
  (logger: Logger): Log =>
  (event, { error, ...details }) =>
    logger[LEVELS.get(event) ?? 'info'](error === undefined ? details : { ...details, err: error }, event)

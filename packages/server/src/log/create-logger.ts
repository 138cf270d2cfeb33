import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Lines on standard error, so that standard output stays what a command prints. */
export const createLogger = (level: string, format: 'json' | 'pretty'): Logger =>
  pino(
    { level, base: null },
    format === 'json'
      ? pino.destination({ dest: 2, sync: true })
      : pretty({
          destination: 2,
          sync: true,
          colorize: process.stderr.isTTY,
          translateTime: 'HH:MM:ss.l',
          ignore: 'pid,hostname',
        }),
  )

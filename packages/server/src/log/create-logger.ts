import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Lines on standard error, so that standard output stays what a command prints; each with the number of its worker, where there are some. */
export const createLogger = (level: string, format: 'json' | 'pretty', worker?: number): Logger =>
  pino(
    { level, base: worker === undefined ? null : { worker } },
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

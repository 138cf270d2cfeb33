import { z } from 'zod'
import { count, flag, OPTION_NOTES } from './option-notes.ts'

/** What the operator sees. */
export const logOptions = {
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least important lines that are logged.'),
  logFormat: z
    .enum(['json', 'pretty'])
    .exactOptional()
    .describe('json for machines, pretty for people.')
    .register(OPTION_NOTES, { defaultText: 'pretty in development, otherwise json', example: 'json' }),
  securityLogLinesPerMinute: count(
    'Lines a minute that are logged of each security event (refused tokens, origins, API keys), and of each failure of requests and hooks; the rest is only counted.',
    { default: 60, min: 0, max: 1_000_000 },
  ),
  metrics: flag('Serve Prometheus metrics at /metrics.', true),
}

import { z } from 'zod'
import { flag, OPTION_NOTES } from './option-notes.ts'

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
  metrics: flag('Serve Prometheus metrics at /metrics.', true),
}

import { availableParallelism } from 'node:os'
import { z } from 'zod'

/** How many processes serve the port. */
export const workerOptions = {
  workers: z
    .union([z.int().min(1).max(256), z.literal('auto')])
    .default(1)
    .describe(
      'Processes that serve the port together, on one machine with Linux: a number, or auto for one for each available core. For the command alone.',
    ),
}

/** How many processes the options ask for. */
export const workerCount = ({ workers }: { readonly workers: number | 'auto' }): number =>
  workers === 'auto' ? availableParallelism() : workers

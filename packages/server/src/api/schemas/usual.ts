import { z } from 'zod'

/**
 * What tells, at a small part of what a schema costs, that the schema would take a value as it is. It knows the values that come by the
 * thousand; about all others, however right, the schema decides.
 */
export const usual = z.registry<{ readonly accepts: (value: unknown) => boolean }>()

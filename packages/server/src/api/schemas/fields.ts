import { LIMITS } from '@fusewire/protocol'
import { z } from 'zod'
import { API_LIMITS } from '../api-limits.ts'
import { documented } from './documented.ts'

export const channel = z.string().min(1).max(LIMITS.channelLength).register(documented, { description: 'Name of a channel.' })

/** Required, and any JSON value, `null` among them. */
export const data = z
  .unknown()
  .refine((value) => value !== undefined, { error: 'is missing' })
  .register(documented, { description: 'Any JSON value.' })

export const tags = z
  .record(z.string(), z.string().max(LIMITS.tagLength))
  .refine((value) => Object.keys(value).length <= LIMITS.tags, { error: `must have at most ${LIMITS.tags} entries` })
  .register(documented, {
    description: 'Labels of the publication, which subscribers can filter by.',
    maxProperties: LIMITS.tags,
  })

export const key = z
  .string()
  .min(1)
  .max(LIMITS.keyLength)
  .register(documented, { description: 'Idempotency key: a second publish with it in the same channel changes nothing.' })

export const patch = z.boolean().register(documented, {
  description: "`data` is a JSON merge patch (RFC 7396) of the channel's document, where its rule says `state`.",
})

export const ifPosition = z
  .strictObject({ epoch: z.string().min(1).max(64), offset: z.int().min(0) })
  .register(documented, { description: "Publish only if this is the channel's newest position; otherwise 409 `conflict`." })

export const method = z
  .string()
  .min(1)
  .max(LIMITS.methodLength)
  .register(documented, { description: 'Name of the handler, as the embedding program has registered it.' })

export const user = z.string().min(1).max(255).register(documented, { description: 'All sessions of this user.' })

export const session = z.string().min(1).max(64).register(documented, { description: 'This session alone.' })

export const pattern = z
  .string()
  .min(1)
  .max(LIMITS.channelLength)
  .refine((value) => (value.match(/\*+/g)?.length ?? 0) <= API_LIMITS.wildcardsPerPattern, {
    error: `must have at most ${API_LIMITS.wildcardsPerPattern} wildcards`,
  })
  .register(documented, { description: '`*` stands for one or more characters other than `:`, `**` for one or more of any.' })

/** An integer of a query string. Digits alone: `Number` would take `""`, `1e3` and `0x10` too. */
export const queryInteger = (max: number, description: string) =>
  z
    .string()
    .regex(/^\d{1,16}$/, { error: 'must be an integer' })
    .transform(Number)
    .pipe(z.int().max(max))
    .register(documented, { description, type: 'integer', minimum: 0, maximum: max, pattern: undefined })

export const queryFlag = (description: string) =>
  z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .register(documented, { description, type: 'boolean', enum: undefined })

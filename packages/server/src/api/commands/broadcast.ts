import { z } from 'zod'
import { API_LIMITS } from '../api-limits.ts'
import { defineCommand } from '../command.ts'
import { assertMessageSize, draftOf, publishOptions } from '../publication-input.ts'
import { published, refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { channel, data, key, patch, tags } from '../schemas/fields.ts'

const channels = z
  .array(channel)
  .min(1)
  .max(API_LIMITS.channelsPerBroadcast)
  .refine((names) => new Set(names).size === names.length, { error: 'must not name a channel twice' })
  .register(documented, { uniqueItems: true })

export const broadcast = defineCommand({
  name: 'broadcast',
  summary: 'Publish the same to many channels',
  description: 'Each channel has its own result, in the order of the channels: what one refuses, others may take.',
  tag: 'Publications',
  body: z
    .strictObject({ channels, data, tags: tags.exactOptional(), key: key.exactOptional(), patch: patch.exactOptional() })
    .register(documented, { id: 'Broadcast' }),
  answer: z
    .object({
      results: z.array(
        z.union([
          z.object({ channel: z.string(), ...published.shape }),
          z.object({ channel: z.string(), error: refusal.shape.error }),
        ]),
      ),
    })
    .register(documented, { id: 'BroadcastResults' }),
  bulk: true,
  idempotent: true,
  run: async (context, body) => {
    const { application, limits, idempotencyKey, refuse } = context
    const draft = draftOf(body, body.channels[0] ?? '', limits)
    assertMessageSize(draft, context)
    const options = publishOptions(body, idempotencyKey)
    const publishTo = async (channel: string) => {
      try {
        const { position, duplicate } = await application.publish(channel, draft, options)
        return { channel, position, duplicate }
      } catch (thrown) {
        return { channel, ...refuse(thrown) }
      }
    }
    return { results: await Promise.all(body.channels.map(publishTo)) }
  },
})

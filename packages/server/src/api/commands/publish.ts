import { LIMITS } from '@fusewire/protocol'
import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { draftOf, publishOptions } from '../publication-input.ts'
import { published } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { channel, data, ifPosition, key, patch, tags } from '../schemas/fields.ts'
import { usual } from '../schemas/usual.ts'

const isText = (value: unknown, maxLength: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= maxLength

/** A channel and data, and perhaps a key. */
export const isUsualPublish = (body: unknown): boolean => {
  if (typeof body !== 'object' || body === null) return false
  const { channel, data, key } = body as Readonly<Record<string, unknown>>
  if (data === undefined || !isText(channel, LIMITS.channelLength)) return false
  if (key !== undefined && !isText(key, LIMITS.keyLength)) return false
  return Object.keys(body).length === (key === undefined ? 2 : 3)
}

export const publish = defineCommand({
  name: 'publish',
  summary: 'Publish to a channel',
  tag: 'Publications',
  body: z
    .strictObject({
      channel,
      data,
      tags: tags.exactOptional(),
      key: key.exactOptional(),
      patch: patch.exactOptional(),
      ifPosition: ifPosition.exactOptional(),
    })
    .register(documented, { id: 'Publish' })
    .register(usual, { accepts: isUsualPublish }),
  answer: published,
  idempotent: true,
  run: ({ application, limits, idempotencyKey }, body) =>
    application.publish(body.channel, draftOf(body, body.channel, limits), publishOptions(body, idempotencyKey)),
})

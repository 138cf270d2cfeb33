import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { draftOf, publishOptions } from '../publication-input.ts'
import { published } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { channel, data, ifPosition, key, patch, tags } from '../schemas/fields.ts'

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
    .register(documented, { id: 'Publish' }),
  answer: published,
  idempotent: true,
  run: ({ application, limits, idempotencyKey }, body) =>
    application.publish(body.channel, draftOf(body, body.channel, limits), publishOptions(body, idempotencyKey)),
})

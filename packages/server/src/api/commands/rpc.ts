import { acceptClientMessage } from '@fusewire/protocol'
import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { documented } from '../schemas/documented.ts'
import { method } from '../schemas/fields.ts'

export const rpc = defineCommand({
  name: 'rpc',
  summary: 'Call a handler of the embedding program',
  tag: 'Procedures',
  body: z.strictObject({ method, data: z.unknown().optional() }).register(documented, { id: 'Rpc' }),
  answer: z
    .object({
      data: z.unknown().optional().register(documented, { description: 'What the handler returned; absent when nothing.' }),
    })
    .register(documented, { id: 'RpcResult' }),
  run: async ({ application, limits }, { method, data }) => {
    acceptClientMessage({ type: 'rpc', method, data }, limits.maxDepth)
    return { data: await application.rpc(method, data) }
  },
})

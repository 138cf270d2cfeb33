import type { FusewireError } from '@fusewire/protocol'
import { z } from 'zod'
import { refusalOf } from '../../error-answer.ts'
import type { ApiServer } from '../api-server.ts'
import { refusalHeaders } from '../refusal.ts'
import { refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'

const health = z.object({ status: z.literal('ok') }).register(documented, { id: 'Health' })

const notReady = refusal
  .extend({ reasons: z.array(z.string()).register(documented, { description: 'All of them, for people.' }) })
  .register(documented, { id: 'NotReady' })

/** For whoever watches the process: open to all, and says nothing about what is inside. */
export const addHealthRoutes = (app: ApiServer, readiness: () => readonly FusewireError[]): void => {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'livez',
        summary: 'Is the process alive?',
        tags: ['Node'],
        security: [],
        response: { 200: health },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readyz',
        summary: 'May clients be sent here?',
        tags: ['Node'],
        security: [],
        response: { 200: health, 503: notReady },
      },
    },
    async (_request, reply) => {
      const reasons = readiness()
      const [first] = reasons
      if (!first) return { status: 'ok' as const }
      return reply
        .code(503)
        .headers(refusalHeaders(first))
        .send({ ...refusalOf(first), reasons: reasons.map(({ message }) => message) })
    },
  )
}

import { z } from 'zod'
import type { ApiServer } from '../api-server.ts'
import { type DrainAnswer, drainAnswer, type NodeInfo, nodeInfo, refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'

/** Where the metrics come from; text in the Prometheus exposition format. */
export interface MetricsReader {
  readonly contentType: string
  read(): Promise<string>
}

export interface NodeParts {
  readonly info: () => NodeInfo
  readonly drain: () => DrainAnswer
  /** Without it, there is nothing at `/metrics`. */
  readonly metrics: MetricsReader | undefined
}

/** What the process says about itself, and what can be asked of it. */
export const addNodeRoutes = (app: ApiServer, { info, drain, metrics }: NodeParts): void => {
  app.get(
    '/v1/info',
    {
      schema: {
        operationId: 'info',
        summary: 'About this node',
        tags: ['Node'],
        response: { 200: nodeInfo, default: refusal },
      },
    },
    async () => info(),
  )

  app.post(
    '/v1/drain',
    {
      schema: {
        operationId: 'drain',
        summary: 'Have this node leave',
        description:
          'Answers at once. `/readyz` says no from now on, clients are told to move over `windowMs`, what is under way is answered, and the process ends. Asked again, it goes on.',
        tags: ['Node'],
        response: { 202: drainAnswer, default: refusal },
      },
    },
    async (_request, reply) => reply.code(202).send(drain()),
  )

  if (!metrics) return
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Prometheus metrics',
        tags: ['Node'],
        response: {
          200: { description: 'Default Response', content: { 'text/plain': { schema: z.string().register(documented, {}) } } },
          default: refusal,
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.read()),
  )
}

import { z } from 'zod'
import type { ApiServer } from '../api-server.ts'
import { type NodeInfo, nodeInfo, refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'

/** Where the metrics come from; text in the Prometheus exposition format. */
export interface MetricsReader {
  readonly contentType: string
  read(): Promise<string>
}

/** What the process says about itself. Without metrics, there is nothing at `/metrics`. */
export const addNodeRoutes = (app: ApiServer, info: () => NodeInfo, metrics: MetricsReader | undefined): void => {
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

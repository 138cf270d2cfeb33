import type { Awaitable } from '@fusewire/engine'
import { z } from 'zod'
import type { ApiServer } from '../api-server.ts'
import type { Application } from '../application.ts'
import { answered, type DrainAnswer, drainAnswer, type NodeInfo, nodeInfo, refusal, touched } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { leaving, targetOf } from '../schemas/target.ts'

/** Where the metrics come from; text in the Prometheus exposition format. */
export interface MetricsReader {
  readonly contentType: string
  read(): Promise<string>
}

export interface NodeParts {
  readonly application: Application
  readonly info: () => NodeInfo
  /** Of this node, or of another one. */
  readonly drain: (node?: string) => Awaitable<DrainAnswer>
  /** Without it, there is nothing at `/metrics`. */
  readonly metrics: MetricsReader | undefined
}

/** What the process says about itself, and what can be asked of it. */
export const addNodeRoutes = (app: ApiServer, { application, info, drain, metrics }: NodeParts): void => {
  app.get(
    '/v1/info',
    {
      schema: {
        operationId: 'info',
        summary: 'About this node, and the others',
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
        summary: 'Have a node leave, or clients come back elsewhere',
        description:
          'Without a body this node leaves, with `node` that one. Answers 202 at once: its `/readyz` says no from now on, its clients are ' +
          'told to move over `windowMs`, what is under way is answered, and the process ends. Asked again, it goes on. ' +
          'With `user` or `session` nobody leaves: their clients are told now to come back elsewhere, on whichever node they are, ' +
          'and the answer is 200.',
        tags: ['Node'],
        body: leaving.nullish(),
        response: { 200: touched, 202: drainAnswer, default: refusal },
      },
    },
    async ({ body }, reply) => {
      const { node, ...target } = body ?? {}
      if (target.user === undefined && target.session === undefined) return reply.code(202).send(await drain(node))
      return answered(await application.moveUser(targetOf(target)))
    },
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

import { z } from 'zod'
import { count, milliseconds, OPTION_NOTES, text } from './option-notes.ts'

export const REDIS_MODES = ['standalone', 'sentinel', 'cluster'] as const

/** What carries publications and sessions between nodes and workers. */
export const brokerOptions = {
  broker: z
    .array(z.string().min(1))
    .min(1)
    .default(['memory'])
    .describe(
      'What keeps and carries publications and sessions: memory (this server alone), or addresses of a Redis or NATS that several servers share: redis://, rediss:// (TLS), nats://, tls:// (NATS with TLS). Several addresses are servers of one cluster, or sentinels.',
    )
    .register(OPTION_NOTES, { secret: true, example: ['redis://127.0.0.1:6379'] }),
  redisMode: z
    .enum(REDIS_MODES)
    .default('standalone')
    .describe('What the addresses of broker are: one Redis, sentinels that know the master, or nodes of a Redis Cluster.'),
  redisMaster: z.string().min(1).default('mymaster').describe('Name of the master that the sentinels watch.'),
  natsReplicas: count('Servers of a NATS cluster that keep each message; with 1 it is lost with its server.', {
    default: 1,
    min: 1,
    max: 5,
  }),
  natsCredentialsFile: text('Credentials (.creds) for NATS.', { path: true, example: '/etc/fusewire/nats.creds' }),
  brokerCaFile: text("Certificates (PEM) of the authorities that the broker is checked against, in place of the system's.", {
    path: true,
    example: '/etc/fusewire/broker-ca.pem',
  }),
  brokerPrefix: z
    .string()
    .min(1)
    .default('fusewire')
    .describe('First part of every name in the broker: servers with the same prefix are one cluster.'),
  brokerTimeoutMs: milliseconds('How long the broker may take to answer, before the request fails with broker_unavailable.', {
    default: 5000,
    max: 60_000,
  }),
}

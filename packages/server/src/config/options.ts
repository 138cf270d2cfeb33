import { z } from 'zod'
import { authOptions } from './auth-options.ts'
import { brokerOptions } from './broker-options.ts'
import { hookOptions } from './hook-options.ts'
import { limitOptions } from './limit-options.ts'
import { listenerOptions } from './listener-options.ts'
import { logOptions } from './log-options.ts'
import { channelOptions } from './rule-options.ts'
import { sessionOptions } from './session-options.ts'
import { storageOptions } from './storage-options.ts'
import { tlsOptions } from './tls-options.ts'
import { workerOptions } from './worker-options.ts'

/** The options by subject, in the order in which people read about them. */
export const OPTION_SECTIONS = [
  { title: 'Listener', options: listenerOptions },
  { title: 'TLS', options: tlsOptions },
  { title: 'Access', options: authOptions },
  { title: 'Channels', options: channelOptions },
  { title: 'Application hooks', options: hookOptions },
  { title: 'Sessions and heartbeats', options: sessionOptions },
  { title: 'Storage', options: storageOptions },
  { title: 'Broker, cluster and workers', options: { ...brokerOptions, ...workerOptions } },
  { title: 'Limits', options: limitOptions },
  { title: 'Logs and metrics', options: logOptions },
] as const

/** Every option of the server: the same names in the file, in `createFusewire`, in the environment and on the command line. */
export const optionsSchema = z.strictObject({
  ...listenerOptions,
  ...tlsOptions,
  ...authOptions,
  ...channelOptions,
  ...hookOptions,
  ...sessionOptions,
  ...storageOptions,
  ...brokerOptions,
  ...workerOptions,
  ...limitOptions,
  ...logOptions,
})

type Written = z.input<typeof optionsSchema>
type Parsed = z.output<typeof optionsSchema>

export type OptionName = keyof Parsed

/** What embedders pass: what differs from the defaults. `undefined` counts as left out. */
export type FusewireInput = { [Name in keyof Written]?: Written[Name] | undefined }

/** Every option with its value. */
export type FusewireOptions = Parsed & Required<Pick<Parsed, 'host' | 'logFormat'>>

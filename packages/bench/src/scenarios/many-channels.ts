import type { OpenTrial, RunOptions, Scenario, Trial } from '../frame/scenario.ts'
import { bare, type Candidate, fusewire, socketIo, wsNaive } from '../load/candidates.ts'
import { openDeliveries } from '../load/open-deliveries.ts'
import { externalCandidate } from './external-candidate.ts'
import { rateMeasures } from './rate-measures.ts'

const CHANNELS = 10_000
const SUBSCRIBERS = 10
const CLIENTS = 1000
const DURATION_MS = 3000
const WINDOWS = 6
const WARM_UP_MS = 1500
/** Publications under way. */
const WINDOW = 100

export interface ChannelsLoad {
  readonly channels: number
  /** Of each channel. */
  readonly subscribers: number
  /** Share the subscriptions evenly. */
  readonly clients: number
  readonly bytes: number
  readonly durationMs: number
}

const channelName = (channel: number): string => `bench:channel-${channel}`

/** Publishes to channels by chance, and counts what arrives. */
export const openChannels = (candidate: Candidate, load: ChannelsLoad): Promise<OpenTrial> => {
  const { channels, subscribers, clients, bytes, durationMs } = load
  const each = Math.ceil((channels * subscribers) / clients)
  const channelsOf = (client: number): readonly string[] =>
    Array.from({ length: each }, (_, index) => channelName((client * each + index) % channels))
  const text = 'x'.repeat(bytes)
  const frames = Array.from({ length: channels }, (_, channel) => candidate.dialect.publish(channelName(channel), text))
  const nextFrames = (): Buffer => frames[Math.floor(Math.random() * channels)] as Buffer
  return openDeliveries(
    candidate,
    { clients, channels: channelsOf },
    { warmUpMs: WARM_UP_MS, durationMs, nextFrames, deliveriesEach: subscribers, window: WINDOW },
  )
}

const plan = ({ clients = CLIENTS, bytes = 100, durationMs = DURATION_MS, external }: RunOptions): readonly Trial[] =>
  [bare(), fusewire(), wsNaive(), socketIo(), ...(external ? [externalCandidate(external)] : [])].map((candidate) => ({
    case: `${CHANNELS} channels of ${SUBSCRIBERS}, ${clients} clients`,
    candidate: candidate.name,
    description: candidate.description,
    connections: clients,
    open: () =>
      openChannels(candidate, {
        channels: CHANNELS,
        subscribers: SUBSCRIBERS,
        clients,
        bytes,
        durationMs: durationMs / WINDOWS,
      }),
  }))

export const MANY_CHANNELS: Scenario = {
  name: 'many-channels',
  summary: '10,000 channels of 10 subscribers each, and publications to channels by chance, 100 under way',
  measures: rateMeasures('deliveries'),
  main: 'perCpuSecond',
  rounds: 5,
  windows: WINDOWS,
  takes: ['clients', 'bytes', 'url'],
  plan,
}

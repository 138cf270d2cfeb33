import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { Audience } from '../load/audience.ts'
import { bare, type Candidate, fusewire, reach, socketIo, wsNaive } from '../load/candidates.ts'
import { rates } from '../load/load-meter.ts'
import { openPublisher, publishInWindow } from '../load/publishing.ts'
import { externalCandidate } from './external-candidate.ts'
import { rateMeasures } from './rate-measures.ts'

const CHANNELS = 10_000
const SUBSCRIBERS = 10
const CLIENTS = 1000
const DURATION_MS = 3000
const WARM_UP_SHARE = 0.3
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
export const measureChannels = async (candidate: Candidate, load: ChannelsLoad): Promise<Sample> => {
  const { channels, subscribers, clients, bytes, durationMs } = load
  const each = Math.ceil((channels * subscribers) / clients)
  const server = await reach(candidate)
  try {
    const channelsOf = (client: number): readonly string[] =>
      Array.from({ length: each }, (_, index) => channelName((client * each + index) % channels))
    const audience = await Audience.open(server, candidate, { clients, channels: channelsOf })
    const publisher = await openPublisher(server, candidate)
    const text = 'x'.repeat(bytes)
    const frames = Array.from({ length: channels }, (_, channel) => candidate.dialect.publish(channelName(channel), text))
    const nextFrames = (): Buffer => frames[Math.floor(Math.random() * channels)] as Buffer
    const options = { nextFrames, deliveriesEach: subscribers, window: WINDOW }
    await publishInWindow(server, audience, publisher, { ...options, durationMs: durationMs * WARM_UP_SHARE })
    const metered = await publishInWindow(server, audience, publisher, { ...options, durationMs })
    publisher.destroy()
    audience.close()
    return rates(metered.deliveries, metered)
  } finally {
    await server.stop()
  }
}

const plan = ({ clients = CLIENTS, bytes = 100, durationMs = DURATION_MS, external }: RunOptions): readonly Trial[] =>
  [bare(), fusewire(), wsNaive(), socketIo(), ...(external ? [externalCandidate(external)] : [])].map((candidate) => ({
    case: `${CHANNELS} channels of ${SUBSCRIBERS}, ${clients} clients`,
    candidate: candidate.name,
    description: candidate.description,
    measure: () => measureChannels(candidate, { channels: CHANNELS, subscribers: SUBSCRIBERS, clients, bytes, durationMs }),
  }))

export const MANY_CHANNELS: Scenario = {
  name: 'many-channels',
  summary: '10,000 channels of 10 subscribers each, and publications to channels by chance, 100 under way',
  measures: rateMeasures('deliveries'),
  main: 'perCpuSecond',
  rounds: 5,
  takes: ['clients', 'bytes', 'url'],
  plan,
}

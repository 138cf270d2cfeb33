import type { OpenTrial, RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { bare, type Candidate, fusewire } from '../load/candidates.ts'
import { mostConnections } from '../load/open-files.ts'
import { openFanOut } from './fan-out.ts'
import { openChannels } from './many-channels.ts'

const SUBSCRIBERS = [100, 1000, 5000, 20_000] as const
const CHANNELS = [1, 10, 100, 1000, 10_000, 100_000] as const
const CHANNEL_CLIENTS = 10
const DURATION_MS = 3000
const MICROSECONDS = 1_000_000

/** What each delivery costs: it is the same for any size where growth is linear. */
const costOf = ({ perCpuSecond, serverCpu }: Sample): Sample => ({
  cost: perCpuSecond === undefined ? undefined : MICROSECONDS / perCpuSecond,
  serverCpu,
})

const plan = ({ bytes = 100, durationMs = DURATION_MS }: RunOptions): readonly Trial[] => {
  const candidates = [bare(), fusewire()]
  const subscribers = SUBSCRIBERS.map((count) => Math.min(count, mostConnections()))
  const trials = (kind: string, sizes: readonly number[], open: (candidate: Candidate, size: number) => Promise<OpenTrial>) =>
    sizes.flatMap((size) =>
      candidates.map((candidate) => ({
        case: `${kind}, ${size}`,
        size,
        candidate: candidate.name,
        description: candidate.description,
        open: async () => {
          const { measure, close } = await open(candidate, size)
          return { measure: async () => costOf(await measure()), close }
        },
      })),
    )
  return [
    ...trials('subscribers', subscribers, (candidate, clients) =>
      openFanOut(candidate, { clients, bytes, burst: 1, durationMs }),
    ),
    ...trials('channels', CHANNELS, (candidate, channels) =>
      openChannels(candidate, { channels, subscribers: 1, clients: Math.min(CHANNEL_CLIENTS, channels), bytes, durationMs }),
    ),
  ]
}

export const GROWTH: Scenario = {
  name: 'growth',
  summary:
    'what a delivery costs with 100 to 20,000 subscribers of a channel, and with 1 to 100,000 channels of one; drawn as lines',
  measures: [
    { name: 'cost', title: 'CPU µs/delivery', digits: 2 },
    { name: 'serverCpu', title: 'server CPU', digits: 2 },
  ],
  main: 'cost',
  isGrowth: true,
  rounds: 3,
  takes: ['bytes'],
  plan,
}

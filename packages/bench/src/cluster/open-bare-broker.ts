import type { BareBroker, OnHeard } from './bare-broker.ts'
import { type NatsTraffic, openBareNats } from './bare-nats.ts'
import { openBareRedis, type RedisTraffic } from './bare-redis.ts'

/** Hears of all channels from the beginning. `name` and `traffic` are those of the broker whose node was looked at. */
export const openBareBroker = (name: string, url: string, traffic: unknown, onHeard?: OnHeard): Promise<BareBroker> =>
  name === 'redis' ? openBareRedis(url, traffic as RedisTraffic, onHeard) : openBareNats(url, traffic as NatsTraffic, onHeard)

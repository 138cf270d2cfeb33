import type { Scenario } from '../frame/scenario.ts'
import { CONNECTING } from './connecting.ts'
import { ECHO } from './echo.ts'
import { FAN_OUT } from './fan-out.ts'
import { GROWTH } from './growth.ts'
import { HTTP_API } from './http-api.ts'
import { IDLE } from './idle.ts'
import { MANY_CHANNELS } from './many-channels.ts'
import { MEMORY } from './memory.ts'
import { RECONNECT_STORM } from './reconnect-storm.ts'
import { SLOW_CONSUMER } from './slow-consumer.ts'

/** All scenarios, in the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  FAN_OUT,
  MEMORY,
  ECHO,
  CONNECTING,
  RECONNECT_STORM,
  MANY_CHANNELS,
  HTTP_API,
  GROWTH,
  IDLE,
  SLOW_CONSUMER,
]

/** Those that are run when none is named. */
export const DEFAULT_SCENARIOS: readonly Scenario[] = [FAN_OUT]

/**
 * Those of `--quick`: CPU time and memory, which hold on a busy machine. Latencies do not, and connecting needs half a minute until the
 * code of all servers is compiled.
 */
export const QUICK_SCENARIOS: readonly Scenario[] = [FAN_OUT, MEMORY]

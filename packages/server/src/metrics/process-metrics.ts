import { statSync } from 'node:fs'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** Those which list every handle or descriptor of the process: with 100,000 connections, each scrape would stop it for 100 ms. */
const COSTLY = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'process_open_fds',
]

/** Since Linux 6.2 the size of the directory is the number of open descriptors; before, it is 0 (proc(5)). */
const openDescriptors = (): number => {
  try {
    return statSync('/proc/self/fd').size
  } catch {
    return 0
  }
}

let registry: Registry | undefined

/**
 * CPU, memory, garbage collection and event-loop lag (`nodejs_eventloop_lag_*`, from `perf_hooks.monitorEventLoopDelay`; its
 * quantiles start afresh with each scrape). They belong to the process: several servers in one share this registry, because what
 * prom-client starts for it is never stopped.
 */
export const processMetrics = (): Registry => {
  if (registry) return registry
  registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of COSTLY) registry.removeSingleMetric(name)
  if (openDescriptors() > 0)
    new Gauge({
      name: 'process_open_fds',
      help: 'Number of open file descriptors.',
      registers: [registry],
      collect() {
        this.set(openDescriptors())
      },
    })
  return registry
}

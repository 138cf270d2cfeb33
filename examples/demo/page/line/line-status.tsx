import './line-status.css'
import { Sparkline } from '../charts/sparkline.tsx'
import { accepted, latencies, latency, line, pageProtocol } from './line-state.ts'
import { transportName } from './transport-names.ts'

const STATUS_NAMES: Record<string, string> = {
  idle: 'Idle',
  connecting: 'Connecting',
  connected: 'Connected',
  waiting: 'Waiting',
  degraded: 'Waiting for long',
  closed: 'Closed',
}

const protocol = pageProtocol()

/** Connected or not, by what, and how fast. */
export const LineStatus = () => {
  const { status, transport, error } = line.value
  return (
    <div class="line-status">
      <p class="line-state" role="status">
        <span class={`lamp ${status}`} aria-hidden="true" />
        <strong>{STATUS_NAMES[status] ?? status}</strong>
        {status === 'connected' && <span class="line-transport">by {transportName(transport)}</span>}
      </p>
      {status === 'closed' && error && <p class="line-error">{error.message}</p>}
      <div class="latency">
        <span class="latency-value number">
          {status !== 'connected' || latency.value === undefined ? '–' : latency.value.toFixed(latency.value < 10 ? 1 : 0)}
        </span>
        <span class="soft">ms there and back</span>
        <Sparkline values={latencies.value} tone="accent" />
      </div>
      <dl class="line-facts">
        <div>
          <dt class="engraved">Session</dt>
          <dd class="number">{accepted.value?.session ?? '–'}</dd>
        </div>
        <div>
          <dt class="engraved">Page by</dt>
          <dd class="number">{protocol === 'h2' ? 'HTTP/2' : protocol.toUpperCase() || 'not told'}</dd>
        </div>
      </dl>
    </div>
  )
}

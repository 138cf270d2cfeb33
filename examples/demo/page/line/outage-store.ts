import { computed, signal } from '@preact/signals'
import { MOMENTARY } from '../../shared/channels.ts'
import { client } from './client.ts'
import { type Outage, type OutageCause, tellOutage } from './outage.ts'

export const outages = signal<readonly Outage[]>([])

export const newestOutage = computed(() => outages.value.at(-1))

/** Set just before the line goes by the visitor's own wish. */
let wish: OutageCause = 'lost'
let wasConnected = false

export const becauseOf = (cause: OutageCause): void => {
  wish = cause
}

const tell = (event: Parameters<typeof tellOutage>[1]): void => {
  outages.value = tellOutage(outages.value, event)
}

client.on('connection', (state) => {
  const at = Date.now()
  if (wasConnected && state.status !== 'connected') {
    tell({ type: 'lost', at, cause: wish })
    wish = 'lost'
  }
  wasConnected = state.status === 'connected'
  switch (state.status) {
    case 'waiting':
    case 'degraded':
      tell({ type: 'step', step: { kind: 'waiting', at, retryAt: state.retryAt ?? at } })
      break
    case 'connecting':
      // Without a transport it is still the token that is being asked for.
      if (state.transport) tell({ type: 'step', step: { kind: 'connecting', at, transport: state.transport } })
      break
  }
})

client.on('message', (message) => {
  if (message.type === 'connected') {
    tell({ type: 'back', at: Date.now(), transport: client.connection.transport ?? '', resumed: message.resumed })
  } else if (message.type === 'subscribed' && message.recovered !== undefined && !MOMENTARY.includes(message.channel)) {
    tell({
      type: 'subscribed',
      channel: message.channel,
      recovered: message.recovered,
      publications: message.publications?.length ?? 0,
    })
  }
})

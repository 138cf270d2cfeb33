import type { Traffic, TransportTraffic } from '../transports/traffic.ts'
import type { Series } from './series.ts'

/** What passes through each transport, and who does not keep up with it. */
export const trafficSeries = (traffic: Traffic): Series[] => {
  const byTransport = (field: keyof TransportTraffic) => () =>
    Object.fromEntries(Object.entries(traffic).map(([transport, counted]) => [transport, counted[field]]))
  const label = 'transport'
  return [
    { kind: 'gauge', name: 'fusewire_connections', help: 'Connections open now.', label, read: byTransport('connections') },
    {
      kind: 'counter',
      name: 'fusewire_connections_opened_total',
      help: 'Connections accepted.',
      label,
      read: byTransport('opened'),
    },
    {
      kind: 'counter',
      name: 'fusewire_handshakes_refused_total',
      help: 'Connections refused before they were open.',
      label,
      read: byTransport('refused'),
    },
    {
      kind: 'counter',
      name: 'fusewire_received_bytes_total',
      help: 'Bytes from clients, without TLS and HTTP/2 framing.',
      label,
      read: byTransport('bytesIn'),
    },
    {
      kind: 'counter',
      name: 'fusewire_sent_bytes_total',
      help: 'Bytes to clients, without TLS and HTTP/2 framing.',
      label,
      read: byTransport('bytesOut'),
    },
    {
      kind: 'gauge',
      name: 'fusewire_connections_behind',
      help: 'Connections for which frames wait behind a full socket now.',
      label,
      read: byTransport('behind'),
    },
    {
      kind: 'counter',
      name: 'fusewire_connections_fell_behind_total',
      help: 'Connections that have been behind, each counted once.',
      label,
      read: byTransport('fellBehind'),
    },
    {
      kind: 'counter',
      name: 'fusewire_publications_conflated_total',
      help: 'Publications that made way for a newer one while their client was behind.',
      label,
      read: byTransport('conflated'),
    },
    {
      kind: 'counter',
      name: 'fusewire_slow_consumers_disconnected_total',
      help: 'Connections ended because more than maxBufferedBytes waited for them.',
      label,
      read: byTransport('slowDisconnects'),
    },
  ]
}

/** The transports of the SDK as the page calls them. */
export const TRANSPORT_NAMES = {
  websocket: 'WebSocket',
  stream: 'Streaming',
  sse: 'SSE',
  poll: 'Polling',
} as const

export type TransportName = keyof typeof TRANSPORT_NAMES

export const transportName = (name: string | undefined): string =>
  name !== undefined && Object.hasOwn(TRANSPORT_NAMES, name) ? TRANSPORT_NAMES[name as TransportName] : (name ?? '')

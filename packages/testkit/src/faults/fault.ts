/** Which way bytes go: `up` from the client to the server, `down` back. */
export type Direction = 'up' | 'down'

/** What a network does to the connections on a line, or a broken machine to their bytes. */
export type Fault =
  /** Everything arrives so much later. */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly forMs?: number }
  /** Everything arrives later by a random time, in its order. */
  | { readonly kind: 'jitter'; readonly maxDelayMs: number; readonly forMs?: number }
  /** No more than this goes each way of each connection. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number; readonly forMs?: number }
  /** Everything arrives in pieces of this size, the receiver waking for each. */
  | { readonly kind: 'fragment'; readonly bytes: number; readonly forMs?: number }
  /** Nothing arrives; then all of it does. */
  | { readonly kind: 'stall'; readonly direction: Direction | 'both'; readonly forMs?: number }
  /** New connections are reset. */
  | { readonly kind: 'refuse'; readonly forMs?: number }
  /** A new connection waits until a later one has got through, or for this time. */
  | { readonly kind: 'reorder'; readonly holdMs: number; readonly forMs?: number }
  /** The connections of now look alive, and what is sent on them is lost. */
  | { readonly kind: 'half-open'; readonly direction: Direction | 'both' }
  /** One bit of the connections of now is another, after so many bytes. */
  | { readonly kind: 'corrupt'; readonly direction: Direction; readonly afterBytes: number }
  /** The connections of now end properly after so many bytes, in the middle of whatever is being said. */
  | { readonly kind: 'truncate'; readonly direction: Direction; readonly afterBytes: number }
  /** The connections of now end properly (FIN), what was on its way being lost. */
  | { readonly kind: 'cut' }
  /** The connections of now are reset (RST). */
  | { readonly kind: 'reset' }

export type FaultKind = Fault['kind']

/** What lasts, for `forMs` or until the line is mended. */
export type Weather = Extract<Fault, { readonly forMs?: number }>

/** What befalls the connections of now, once. */
export type Blow = Exclude<Fault, Weather>

/** Every kind, and whether it lasts. */
const LASTING: Readonly<Record<FaultKind, boolean>> = {
  delay: true,
  jitter: true,
  throttle: true,
  fragment: true,
  stall: true,
  refuse: true,
  reorder: true,
  'half-open': false,
  corrupt: false,
  truncate: false,
  cut: false,
  reset: false,
}

export const FAULT_KINDS = Object.keys(LASTING) as readonly FaultKind[]

export const isWeather = (fault: Fault): fault is Weather => LASTING[fault.kind]

/** Whether a fault that names a direction is about this one. */
export const concerns = ({ direction }: { readonly direction: Direction | 'both' }, which: Direction): boolean =>
  direction === 'both' || direction === which

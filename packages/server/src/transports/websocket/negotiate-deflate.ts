import { DEFLATE, type ExtensionParameters, parseExtensions } from './ws-internals.ts'

/**
 * Answers the offers of `Sec-WebSocket-Extensions` (RFC 7692 section 7.1): undefined when there is none that can be accepted.
 * Neither side keeps its context between messages, so that one compressed message fits every connection and an idle one keeps no
 * window. That takes the full window of 32 KiB; an offer that asks for a smaller one is declined, as are offers with parameters
 * that are unknown or wrong.
 * @throws SyntaxError when the header cannot be read.
 */
export const negotiateDeflate = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const offer = parseExtensions(header)[DEFLATE]?.find(isAcceptable)
  if (!offer) return undefined
  // An offer that names the window has to hear it again (section 7.1.2.1).
  const window = 'server_max_window_bits' in offer ? '; server_max_window_bits=15' : ''
  return `${DEFLATE}; server_no_context_takeover; client_no_context_takeover${window}`
}

const isBare = (value: string | true | undefined): boolean => value === true

const PARAMETERS: ReadonlyMap<string, (value: string | true | undefined) => boolean> = new Map([
  ['server_no_context_takeover', isBare],
  ['client_no_context_takeover', isBare],
  ['server_max_window_bits', (value) => value === '15'],
  // A permission, which is not made use of.
  ['client_max_window_bits', (value) => value === true || /^([89]|1[0-5])$/.test(value ?? '')],
])

const isAcceptable = (offer: ExtensionParameters): boolean =>
  Object.entries(offer).every(([name, [value, ...more]]) => more.length === 0 && PARAMETERS.get(name)?.(value))

import { connect } from 'node:net'
import { SPEAK_UP, speakerOf } from '../speaker.ts'
import type { NatsAddress } from './nats-address.ts'

const MAX_INFO_BYTES = 65_536

/** A NATS server greets at once; others wait to be spoken to. */
const SILENCE_MS = 500

/** What a server says of itself before anything is asked. */
export interface NatsServerInfo {
  readonly version?: string
  readonly headers?: boolean
  readonly tls_required?: boolean
  readonly tls_available?: boolean
}

/**
 * Waits for the greeting of a server, and lets go again. A server that takes connections and stands still otherwise would cost a socket
 * with every try: the client library gives up on it, and does not close what it has opened.
 */
export const probeNats = ({ host, port }: NatsAddress, timeoutMs: number): Promise<NatsServerInfo> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    let greeting = ''
    const speakUp = setTimeout(() => socket.write(SPEAK_UP), Math.min(SILENCE_MS, timeoutMs / 2))
    const settle = (settled: () => void): void => {
      clearTimeout(speakUp)
      socket.destroy()
      settled()
    }
    socket.setTimeout(timeoutMs, () => settle(() => reject(new Error(`no greeting within ${timeoutMs} ms`))))
    socket.on('error', (error) => settle(() => reject(error)))
    socket.on('close', () => settle(() => reject(new Error('the connection was closed without a greeting'))))
    socket.on('data', (bytes) => {
      greeting += bytes.toString('latin1')
      const end = greeting.indexOf('\r\n')
      if (end < 0 && greeting.length <= MAX_INFO_BYTES) return
      const info = infoOf(greeting.slice(0, Math.max(0, end)))
      settle(() =>
        info ? resolve(info) : reject(new Error(`it is ${speakerOf(greeting) ?? 'no NATS server'}; correct the address`)),
      )
    })
  })

const infoOf = (line: string): NatsServerInfo | undefined => {
  if (!/^INFO /iu.test(line)) return undefined
  try {
    return JSON.parse(line.slice('INFO '.length)) as NatsServerInfo
  } catch {
    return undefined
  }
}

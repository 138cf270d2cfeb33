import { connect } from 'node:net'

export type Speaker = 'a NATS server' | 'a Redis' | 'an HTTP server'

/** Has each {@link Speaker} say something that has not done so unasked, and does no harm to any. */
export const SPEAK_UP = 'PING\r\n\r\n'

const SAYINGS: readonly (readonly [RegExp, Speaker])[] = [
  [/^INFO \{/u, 'a NATS server'],
  [/^(?:\+PONG|-(?:NOAUTH|NOPERM|DENIED))/u, 'a Redis'],
  [/^HTTP\/\d/u, 'an HTTP server'],
]

/** What a server is, by the first that it has said to a stranger; undefined when that tells nothing. */
export const speakerOf = (words: string): Speaker | undefined => SAYINGS.find(([saying]) => saying.test(words))?.[1]

/** Asks what stands at an address where the broker that it names cannot be used. Never rejects. */
export const askSpeaker = ({ host, port }: { host: string; port: number }, timeoutMs: number): Promise<Speaker | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port })
    const settle = (words?: string): void => {
      socket.destroy()
      resolve(words === undefined ? undefined : speakerOf(words))
    }
    socket.setTimeout(timeoutMs, () => settle())
    socket.on('error', () => settle())
    socket.on('close', () => settle())
    socket.on('data', (bytes) => settle(bytes.toString('latin1')))
    socket.write(SPEAK_UP)
  })

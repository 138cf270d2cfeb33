import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { until } from '../load/until.ts'

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' }

/** The arguments of a command as `MONITOR` prints them. */
const readArguments = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, text = '']) => {
    const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gu, (_, hex?: string, char?: string) =>
      hex === undefined ? (ESCAPES[char ?? ''] ?? char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
    )
    return Buffer.from(bytes, 'latin1').toString()
  })

/** The commands that a Redis is sent by its clients while something is done, other than by its own scripts. */
export const watchCommands = async (port: number, act: () => Promise<void>): Promise<string[][]> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const commands: string[][] = []
  let isWatching = false
  createInterface({ input: socket }).on('line', (line) => {
    if (line === '+OK') isWatching = true
    else if (!/^\+[\d.]+ \[\d+ lua\]/u.test(line)) commands.push(readArguments(line))
  })
  socket.write('MONITOR\r\n')
  await until(() => isWatching, 'Redis does not let its commands be watched')
  await act()
  // What was done before is printed before this is.
  const mark = `end-${Math.random()}`
  const marker = connect(port, '127.0.0.1')
  marker.write(`ECHO ${mark}\r\n`)
  await until(() => commands.some(([, text]) => text === mark), 'Redis does not print its commands')
  marker.destroy()
  socket.destroy()
  return commands
}

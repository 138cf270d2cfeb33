import { connect } from 'node:net'

/** What a Redis answers, in the second version of its protocol. */
export type RedisReply = string | number | null | readonly RedisReply[]

const TIMEOUT_MS = 2_000

/** Reads one whole answer; undefined when some of it is still to come. */
const readReply = (text: Buffer, start = 0): { readonly reply: RedisReply | Error; readonly end: number } | undefined => {
  const lineEnd = text.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = text.toString('utf8', start + 1, lineEnd)
  const after = lineEnd + 2
  switch (String.fromCharCode(text[start] ?? 0)) {
    case '+':
      return { reply: line, end: after }
    case '-':
      return { reply: new Error(line), end: after }
    case ':':
      return { reply: Number(line), end: after }
    case '$': {
      const length = Number(line)
      if (length < 0) return { reply: null, end: after }
      if (text.length < after + length + 2) return undefined
      return { reply: text.toString('utf8', after, after + length), end: after + length + 2 }
    }
    case '*': {
      const items: RedisReply[] = []
      let end = after
      for (let left = Number(line); left > 0; left--) {
        const item = readReply(text, end)
        if (!item) return undefined
        items.push(item.reply instanceof Error ? item.reply.message : item.reply)
        end = item.end
      }
      return { reply: items, end }
    }
    default:
      throw new Error(`no answer of a Redis: ${line}`)
  }
}

const encode = (parts: readonly (string | number)[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`).join('')}`

/** Asks a Redis of this machine one thing over a connection of its own. Throws what it answers as an error. */
export const redisCommand = (port: number, parts: readonly (string | number)[], password?: string): Promise<RedisReply> =>
  new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    let skipped = password === undefined
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const end = (error: Error | undefined, reply: RedisReply = null): void => {
      socket.destroy()
      if (error) reject(error)
      else resolve(reply)
    }
    socket.setTimeout(TIMEOUT_MS, () => end(new Error(`Redis on port ${port} does not answer`)))
    socket.on('error', end)
    socket.on('close', () => end(new Error(`Redis on port ${port} has hung up`)))
    socket.on('connect', () => {
      if (password !== undefined) socket.write(encode(['AUTH', password]))
      socket.write(encode(parts))
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      for (;;) {
        const answer = readReply(received)
        if (!answer) return
        if (answer.reply instanceof Error) return end(answer.reply)
        if (skipped) return end(undefined, answer.reply)
        skipped = true
        received = received.subarray(answer.end)
      }
    })
  })

/** One value of a text such as that of `INFO`: lines of `name:value`. */
export const redisField = (text: RedisReply, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'mu').exec(String(text))?.[1]

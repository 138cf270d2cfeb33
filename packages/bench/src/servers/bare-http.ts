/** The floor of the HTTP API: Node's own HTTP server, which reads the body, parses it and answers with ready-made bytes. */
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { http2: { type: 'boolean', default: false } } })

const ANSWER = Buffer.from('{"position":{"epoch":"1271a0d919aaf984.0","offset":1},"duplicate":false}')
const HEADERS = { 'content-type': 'application/json', 'content-length': `${ANSWER.length}` }

interface Request {
  on(event: 'data', listener: (chunk: Buffer) => void): this
  on(event: 'end', listener: () => void): this
}

interface Response {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
  end(body: Buffer): unknown
}

const answer = (request: Request, response: Response): void => {
  const chunks: Buffer[] = []
  request
    .on('data', (chunk) => chunks.push(chunk))
    .on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString())
      response.writeHead(200, HEADERS)
      response.end(ANSWER)
    })
}

/** Connections wait while other servers are measured, and are to be there when it is their turn again. */
const keepAliveTimeout = 3_600_000

const server = values.http2 ? createHttp2Server(answer) : createServer({ keepAliveTimeout }, answer)
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`))

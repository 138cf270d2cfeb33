import { PATHS } from '@fusewire/protocol'
import { expect, test, vi } from 'vitest'
import { json } from '../wire/json.ts'
import { openPoll } from './poll.ts'

const pending = () => {
  let resolve: (response: Response) => void = () => {}
  const promise = new Promise<Response>((each) => {
    resolve = each
  })
  return { promise, resolve }
}

test('a farewell is not followed by another poll, whichever is answered first', async () => {
  const ndjson = (body: string) => new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  const polls: string[] = []
  const answers = { poll: pending(), send: pending() }
  const fetch = async (url: string): Promise<Response> => {
    if (url.includes(PATHS.send)) return answers.send.promise
    polls.push(url)
    return polls.length === 1 ? ndjson('{"type":"open","connection":"secret"}\n') : answers.poll.promise
  }
  const transport = openPoll({
    endpoint: 'https://localhost',
    codec: json,
    platform: { fetch } as never,
    hello: () => ({ type: 'connect' }),
    listener: { receive: (line) => String(line).includes('open') && transport.opened?.('secret'), closed: vi.fn() },
  })
  await vi.waitFor(() => expect(polls).toHaveLength(2), 15_000)

  const closed = transport.close({ type: 'disconnect' })
  answers.poll.resolve(ndjson('{"type":"disconnect","code":"closed"}\n'))
  // As long as it takes to read an answer, and to begin a poll.
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  answers.send.resolve(new Response(null, { status: 202 }))
  await closed
  expect(polls).toHaveLength(2)
})

import { ClientError, type FusewireClient, type ServerMessage, type Snapshot, type StateChannel } from '@fusewire/client/state'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { FusewireProcess } from './fusewire-process.ts'
import { codecOf, ROUTES, stateClient } from './sdk-client.ts'
import { serverTest } from './server-test.ts'
import { API_KEY, PRODUCTION, signToken } from './server-variants.ts'

const it = serverTest({
  ...PRODUCTION,
  rules: [
    { pattern: 'doc:*', state: true, publish: 'user' },
    // Hardly anything can be caught up with.
    { pattern: 'short:*', state: true, publish: 'user', historySize: 2 },
  ],
})

type Board = Readonly<Record<string, unknown>>

const everyone = (boards: readonly StateChannel<Board>[]) =>
  eventually(() => {
    const [first, ...others] = boards
    expect(first?.position).toBeDefined()
    for (const other of others) expect([other.position, other.value]).toEqual([first?.position, first?.value])
  })

describe.each(ROUTES)('[D1] [D3] documents over $transport, $scheme, $encoding', ({ transport, scheme, encoding }) => {
  const open = async (server: FusewireProcess, user: string): Promise<FusewireClient> => {
    const options = { transports: [transport], token: await signToken(user), ...codecOf(encoding) }
    const client = stateClient(server[scheme], options)
    onTestFinished(() => client.close())
    return client
  }
  const connect = (server: FusewireProcess, ...users: string[]) => Promise.all(users.map((user) => open(server, user)))

  it.for(['doc', 'short'])(
    'who writes at once, is cut, comes late or with something stale ends with the same: %s',
    async (kind, { server }) => {
      const channel = `${kind}:board-${transport}-${scheme}`
      const clients = await connect(server, 'alice', 'bob')
      const boards = clients.map((client) => client.state<Board>(channel))
      await Promise.all(boards.map((board) => board.subscribe()))
      const [alices, bobs] = boards as [StateChannel<Board>, StateChannel<Board>]
      await alices.set({ title: 'board', nested: { kept: true, left: 1 } })
      expect(alices.value).toEqual({ title: 'board', nested: { kept: true, left: 1 } })
      await everyone(boards)
      const { value: document, position } = bobs
      if (!position) throw new Error('no position')

      const total = 12
      const write = async (board: StateChannel<Board>, name: string, cut: () => void): Promise<void> => {
        for (let n = 0; n < total; n++) {
          if (n === total / 2) cut()
          await board.update((value) => ({ ...value, [`${name}${n}`]: n }), { maxAttempts: 100 })
        }
      }
      const patch = async (board: StateChannel<Board>): Promise<void> => {
        for (let n = 0; n < total; n++) await board.patch({ nested: { left: null, [`patch${n}`]: n } }, { force: true })
      }
      await Promise.all([
        write(alices, 'alice', () => clients[0]?.interrupt()),
        write(bobs, 'bob', () => {}),
        patch(clients[1]?.state<Board>(channel) ?? bobs),
      ])

      const [late, stale] = await connect(server, 'carol', 'dave')
      const lateBoard = late?.state<Board>(channel) ?? bobs
      const staleBoard = stale?.state<Board>(channel, { initial: { position, document } }) ?? bobs
      expect(staleBoard.value).toBe(document)
      await Promise.all([lateBoard.subscribe(), staleBoard.subscribe()])
      await everyone([...boards, lateBoard, staleBoard])
      const numbered = (name: string) => Object.fromEntries(Array.from({ length: total }, (_, n) => [`${name}${n}`, n]))
      expect(lateBoard.value).toEqual({
        title: 'board',
        ...numbered('alice'),
        ...numbered('bob'),
        nested: expect.objectContaining({ kept: true }),
      })
    },
  )

  it('refuses the one of two that comes later, with the document that was in its way', async ({ server, api }) => {
    const channel = `doc:race-${transport}-${scheme}`
    const clients = await connect(server, 'alice', 'bob')
    const boards = clients.map((client) => client.state<Board>(channel))
    await Promise.all(boards.map((board) => board.subscribe()))
    const outcomes = await Promise.allSettled(boards.map((board, index) => board.patch({ [`by${index}`]: true })))
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    const loser = outcomes[1 - winner]
    if (loser?.status !== 'rejected') throw new Error('both were accepted')
    expect(loser.reason).toBeInstanceOf(ClientError)
    expect(loser.reason).toMatchObject({
      code: 'conflict',
      retryable: false,
      document: { [`by${winner}`]: true },
      position: { offset: 1 },
    })
    expect(boards[1 - winner]?.value).toEqual({ [`by${winner}`]: true })
    await everyone(boards)
    await boards[1 - winner]?.patch({ [`by${1 - winner}`]: true })
    await everyone(boards)
    expect(boards[0]?.value).toEqual({ by0: true, by1: true })

    const values: unknown[] = []
    for await (const value of clients[0]?.state<Board>(channel) ?? []) {
      values.push(value)
      if (values.length === 2) break
      await api.publish(channel, { whole: true })
    }
    expect(values).toEqual([{ by0: true, by1: true }, { whole: true }])
  })
})

describe('[D3] a document', () => {
  it('counts right, however many count at once', async ({ server }) => {
    const counters = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (user) => {
        const client = stateClient(server.https, { token: await signToken(user) })
        onTestFinished(() => client.close())
        return client.state<number>('doc:counter')
      }),
    )
    await Promise.all(
      counters.map(async (counter) => {
        for (let n = 0; n < 10; n++) await counter.update((count = 0) => count + 1, { maxAttempts: 1000 })
      }),
    )
    await counters[0]?.subscribe()
    expect(counters[0]?.value).toBe(40)
  })

  it('goes on from a snapshot over HTTP, and is gone for all when it is removed [D4]', async ({ server, api }) => {
    const token = await signToken('alice')
    const client = stateClient(server.https, { token })
    onTestFinished(() => client.close())
    const url = `${server.https}/v1/channels/doc:snapshot/state`
    const read = (headers = {}) => fetch(url, { headers: { authorization: `Bearer ${token}`, ...headers } })
    expect((await read()).status).toBe(404)
    await api.publish('doc:snapshot', { title: 'one', kept: { a: 1 } })
    const response = await read()
    const initial = (await response.json()) as Snapshot<Board>
    expect(initial).toMatchObject({ position: { offset: 1 }, document: { title: 'one', kept: { a: 1 } } })
    expect((await read({ 'if-none-match': response.headers.get('etag') })).status).toBe(304)

    const writer = client.state<Board>('doc:snapshot')
    await writer.patch({ title: 'two' }, { force: true })
    const told: ServerMessage[] = []
    client.on('message', (message) => message.type === 'subscribed' && told.push(message))
    const board = client.state<Board>('doc:snapshot', { initial })
    expect(board.value).toBe(initial.document)
    await board.subscribe()
    expect(told).toMatchObject([{ recovered: true, publications: [{ offset: 2, patch: true }] }])
    expect(told[0]).not.toHaveProperty('document')
    await eventually(() => expect(board.value).toEqual({ title: 'two', kept: { a: 1 } }))
    expect(board.value?.kept).toBe(initial.document?.kept)

    const removed = await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${API_KEY}` } })
    expect(removed.status).toBe(204)
    await eventually(() => expect([board.value, board.position?.offset]).toEqual([undefined, 0]))
    await board.set({ title: 'again' })
    expect(board.value).toEqual({ title: 'again' })
  })

  it('is told honestly to be gone when a server that was started anew has lost it', async () => {
    const options = { ...PRODUCTION, rules: [{ pattern: 'doc:*', state: true, publish: 'user' as const }] }
    const first = await FusewireProcess.start(options)
    onTestFinished(async () => {
      await first.stop()
    })
    const client = stateClient(first.https, { token: await signToken('alice') })
    onTestFinished(() => client.close())
    const board = client.state<Board>('doc:restart')
    await board.subscribe()
    await board.set({ before: true })
    expect(await first.stop()).toBe(0)
    await using second = await FusewireProcess.start({ ...options, port: first.httpsPort })
    await eventually(() => expect([board.value, board.position?.offset]).toEqual([undefined, 0]), { timeoutMs: 10_000 })
    await board.set({ after: true })
    expect(board.value).toEqual({ after: true })
    expect(second.isRunning).toBe(true)
    await client.close()
  })
})

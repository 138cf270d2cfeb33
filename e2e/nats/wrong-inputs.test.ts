import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, freePorts, type NatsServer, startNats } from '@fusewire/testkit'
import { connect } from '@nats-io/transport-node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FusewireCommand, runFusewire } from '../fusewire-command.ts'

const SECRET = 'hunter2'

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-nats-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What `serve` says when it does not start with these flags. */
const refusal = async (...flags: readonly string[]): Promise<string> => {
  const args = ['serve', '--development', '--port', '0', '--broker-timeout-ms', '1000', ...flags]
  const { code, out, err } = await runFusewire(args, { folder: temporaryFolder() })
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).not.toContain(SECRET)
  return err
}

describe('a server whose NATS is not there', () => {
  it('does not start, and says which address it is, without its password', async () => {
    const [port] = await freePorts(1)
    expect(await refusal('--broker', `nats://ann:${SECRET}@127.0.0.1:${port}`)).toContain(
      `NATS at 127.0.0.1:${port} cannot be used: it refuses connections`,
    )
  })

  it.each([
    [`nats//:${SECRET}@localhost`, 'is no address of a broker'],
    [`nats://localhost/${SECRET}`, 'has a path'],
    [`nats://:${SECRET}@localhost`, 'has a password without a user'],
  ])('does not start with the address %s, and says so before it tries', async (address, says) => {
    expect(await refusal('--broker', address)).toContain(says)
  })

  it('does not start with credentials or authorities that are not there', async () => {
    const address = 'nats://127.0.0.1:1'
    expect(await refusal('--broker', address, '--nats-credentials-file', 'missing.creds')).toContain('natsCredentialsFile')
    expect(await refusal('--broker', address, '--broker-ca-file', 'missing.pem')).toContain('brokerCaFile')
  })

  it('is checked by check-config without being started', async () => {
    const folder = temporaryFolder()
    const check = async (file: object) => {
      writeFileSync(join(folder, 'fusewire.yaml'), JSON.stringify({ development: true, ...file }))
      return runFusewire(['check-config'], { folder })
    }
    expect(await check({ broker: ['nats://127.0.0.1:1'] })).toMatchObject({ code: 0 })
    const wrong = await check({ broker: [`nats://:${SECRET}@a`] })
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('has a password without a user')
    expect(wrong.err).not.toContain(SECRET)
  })
})

describeWith(['nats-server'], 'a server and a NATS that is something else than it should be', () => {
  const serve = async (options: Parameters<typeof startNats>[0]): Promise<NatsServer> => {
    const nats = await startNats(options)
    onTestFinished(() => nats.stop())
    return nats
  }

  it('does not start with a wrong password, or without one', async () => {
    const { port } = await serve({ user: 'ann', password: 'right' })
    const says = 'it refuses the user, password, token or credentials'
    expect(await refusal('--broker', `nats://ann:${SECRET}@127.0.0.1:${port}`)).toContain(says)
    expect(await refusal('--broker', `nats://127.0.0.1:${port}`)).toContain(says)
  })

  it('does not start without JetStream', async () => {
    const { url } = await serve({ jetstream: false })
    expect(await refusal('--broker', url)).toContain('has no JetStream')
  })

  it('does not start where there are fewer servers than replicas', async () => {
    const { url } = await serve({})
    expect(await refusal('--broker', url, '--nats-replicas', '3')).toContain(
      'not supported in non-clustered mode; leave natsReplicas out',
    )
  })

  it('does not start where the name of a bucket is that of another stream', async () => {
    const { url, port } = await serve({})
    const connection = await connect({ servers: `127.0.0.1:${port}` })
    const stream = { name: 'KV_fusewire-sessions', subjects: ['orders.>'] }
    await connection.request('$JS.API.STREAM.CREATE.KV_fusewire-sessions', JSON.stringify(stream))
    await connection.close()
    expect(await refusal('--broker', url)).toContain(
      "has a stream KV_fusewire-sessions that is not Fusewire's (max_msgs_per_subject, subjects); choose another brokerPrefix",
    )
  })

  it('starts with one command where everything is right', async () => {
    const { url } = await serve({})
    const args = ['serve', '--development', '--port', '0', '--broker', url]
    await using command = new FusewireCommand(args, { folder: temporaryFolder() })
    await command.until('out', /https?:\/\//u)
    command.signal('SIGTERM')
    expect(await command.exit()).toBe(0)
  })
})

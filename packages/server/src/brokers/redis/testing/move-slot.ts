import type { RedisServer } from '@fusewire/testkit'

/** Moves the slot of a key from its master to another one, as `redis-cli --cluster reshard` does. */
export const moveSlot = async (key: string, from: RedisServer, to: RedisServer): Promise<void> => {
  const slot = Number(await from.command('CLUSTER', 'KEYSLOT', key))
  const [fromId, toId] = [await from.command('CLUSTER', 'MYID'), await to.command('CLUSTER', 'MYID')].map(String)
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '')
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '')
  for (;;) {
    const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as readonly string[]
    if (keys.length === 0) break
    await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
  }
  for (const server of [to, from]) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '')
}

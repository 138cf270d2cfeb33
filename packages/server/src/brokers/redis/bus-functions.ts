import type { LibraryPart } from './redis-library.ts'

/** Publishes in the sharded channel that is its key, so that it goes to the server that has the channel, like everything else. */
export const BUS_FUNCTIONS: LibraryPart = `
fusewire_register('tell', {'allow-oom'}, function(keys, args)
  return redis.call('SPUBLISH', keys[1], args[1])
end)
`

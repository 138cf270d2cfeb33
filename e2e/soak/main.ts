import { soakCluster } from './cluster-soak.ts'
import { soakServer } from './server-soak.ts'
import { HELP, readSoakRequest } from './soak-options.ts'

// Whoever has started it is gone, and would not see what it has to say.
process.once('disconnect', () => process.exit(1))

const request = readSoakRequest(process.argv.slice(2), Date.now() % 1_000_000)
if (request.kind === 'help') {
  console.log(HELP)
  process.exit(0)
}
if (request.kind === 'wrong') {
  console.error(`${request.message}\n\n${HELP}`)
  process.exit(2)
}
const { options } = request
process.exit(await (options.cluster ? soakCluster(options, options.cluster) : soakServer(options)))

/** Makes the certificate that all servers of a run show, in the folder that is named: that of Fusewire's development mode. */
import { createFusewire } from '@fusewire/server'

const [certificateDir = ''] = process.argv.slice(2)
const fusewire = createFusewire({ development: true, port: 0, certificateDir, logLevel: 'error' })
await fusewire.listen()
await fusewire.close()

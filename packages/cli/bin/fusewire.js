#!/usr/bin/env node
// Written for any Node, so that an old one is told so in one line; what it imports needs the Node that is asked for.
var version = process.versions.node.split('.').map(Number)
if (version[0] < 22 || (version[0] === 22 && version[1] < 12)) {
  console.error(`Fusewire needs Node 22.12 or newer; this is ${process.version} (${process.execPath}).`)
  process.exit(1)
} else {
  import('../dist/index.js').then(
    (cli) => cli.main(),
    (error) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/[\\/]dist[\\/]/.test(error.message)) throw error
      console.error('Fusewire has not been built here. Run "npm run build" in the workspace first.')
      process.exit(1)
    },
  )
}

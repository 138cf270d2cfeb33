/**
 * `node scripts/run.mjs <name>` runs scripts/<name>.ts. The scripts are TypeScript, which an old Node cannot even read; this file
 * is what it can read, so that it says in one line what is wrong.
 */
const [major, minor] = process.versions.node.split('.').map(Number)

const refuse = (reason) => {
  console.error(`${reason} Run "npm install" first: it brings the right Node for the npm scripts.`)
  process.exit(1)
}

if (major < 22 || (major === 22 && minor < 12)) refuse(`Fusewire needs Node 22.12 or newer, and this is ${process.version}.`)
if (!process.features.typescript)
  refuse(`This script needs a Node that reads TypeScript (22.18 or newer), and this is ${process.version}.`)

const [, , name] = process.argv
if (!/^[\w-]+$/.test(name ?? '')) {
  console.error('Which script? node scripts/run.mjs <name>')
  process.exit(2)
}
process.argv.splice(1, 2, new URL(`${name}.ts`, import.meta.url).pathname)
await import(new URL(`${name}.ts`, import.meta.url).href)

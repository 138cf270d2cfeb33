/** Writes spec/openapi.yaml from the routes of the server: `node --conditions=@fusewire/source scripts/openapi.ts`. */
import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { openApiDocument } from '../packages/server/src/api/openapi-document.ts'

const NOTE = ' Written by scripts/openapi.ts from the routes of packages/server/src/api. Do not edit.\n'

await writeFile(
  new URL('../spec/openapi.yaml', import.meta.url),
  `#${NOTE}${stringify(await openApiDocument(), { lineWidth: 130, aliasDuplicateObjects: false })}`,
)

import { takeName } from '../people/identity.ts'
import { client } from './client.ts'

/** Others see the name that the token says: a new name is a new token, and so a new session. */
export const rename = async (name: string): Promise<void> => {
  takeName(name)
  await client.close()
  await client.connect()
}

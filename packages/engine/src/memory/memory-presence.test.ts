import { presenceContract } from '@fusewire/testkit'
import { MemoryPresence } from './memory-presence.ts'

presenceContract('MemoryPresence', () => new MemoryPresence())

import { z } from 'zod'

/**
 * Names and descriptions of our schemas for the OpenAPI document. A registry of our own: the global one of zod belongs to the
 * embedding program, which may write a document of its own from it. Schemas with an `id` become components.
 */
export const documented = z.registry<{ id?: string; description?: string; [keyword: string]: unknown }>()

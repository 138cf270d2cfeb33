/*
 * The keys of one user, of another, of anonymous clients and of the application never meet, whatever they look like: a repetition is
 * dropped silently, so nobody may be able to use somebody else's key up.
 */

/** The broker's key for a publication of a client. Anonymous clients share theirs. */
export const clientKey = (user: string | undefined, key: string): string =>
  user === undefined ? `anonymous ${key}` : `user ${key.length} ${key} ${user}`

/** The broker's key for a publication of the application. */
export const applicationKey = (key: string): string => `application ${key}`

/**
 * Empties a list that is filled again in the next turn. It keeps its memory: a list that begins anew, as one whose length is set to 0 does,
 * takes 190 bytes with its first entry, which was a thirteenth of what an answer in a turn of its own allocates.
 */
export const emptyList = (list: unknown[]): void => {
  while (list.length > 0) list.pop()
}

import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../', import.meta.url)

const pages = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules/**', '**/dist/**'] })

const withoutBlocks = (page: string): string => page.replaceAll(/^```[\s\S]*?^```/gmu, '')

/** The anchors that GitHub gives to headings: lower case, spaces as hyphens, other punctuation left out; repeated ones are numbered. */
const anchorsOf = (page: string): Set<string> => {
  const seen = new Map<string, number>()
  const headings = [...withoutBlocks(page).matchAll(/^#+ (.+)$/gmu)]
  return new Set(
    headings.map(([, heading = '']) => {
      const anchor = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')
      const before = seen.get(anchor) ?? 0
      seen.set(anchor, before + 1)
      return before === 0 ? anchor : `${anchor}-${before}`
    }),
  )
}

const problemOf = (link: string, file: URL): string | undefined => {
  const target = new URL(link, file)
  const anchor = decodeURIComponent(target.hash.slice(1))
  target.hash = ''
  if (!existsSync(target)) return 'there is no such file'
  if (anchor === '' || !target.pathname.endsWith('.md')) return undefined
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor) ? undefined : 'there is no such heading'
}

describe('the pages of documentation', () => {
  it('are found', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/client.md', 'spec/protocol.md']))
  })

  it.each(pages)('%s links to files and headings that are there', (path) => {
    const file = new URL(path, ROOT)
    const links = [
      ...withoutBlocks(readFileSync(file, 'utf8'))
        .replaceAll(/`[^`\n]*`/gu, '')
        .matchAll(/\]\(([^)\s]+)\)/gu),
    ].map(([, link = '']) => link)
    const dead = links
      .filter((link) => !/^(?:https?|mailto):/u.test(link))
      .flatMap((link) => {
        const problem = problemOf(link, file)
        return problem === undefined ? [] : [`${link}: ${problem}`]
      })
    expect(dead).toEqual([])
  })

  it('name files of the code that are there, where ARCHITECTURE.md does', () => {
    const page = readFileSync(new URL('ARCHITECTURE.md', ROOT), 'utf8')
    const named = [...page.matchAll(/`([\w./-]+\.ts)`/gu)].map(([, path = '']) => path)
    const places = (path: string): string[] => [path, `packages/server/src/${path}`, `packages/${path.replace('/', '/src/')}`]
    expect(named.filter((path) => !places(path).some((place) => existsSync(new URL(place, ROOT))))).toEqual([])
  })
})
